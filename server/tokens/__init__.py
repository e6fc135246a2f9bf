"""Machine tokens (接口令牌): a bureau's own systems read the JSON API, each within its part of the city."""
