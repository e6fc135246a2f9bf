"""What leaves for outside (发件箱): notices to 企业微信, 钉钉, SMS; events to webhooks. One table, one round."""
