"""SDP as values (RFC 8866): model, parse, write, codecs, answer. Pure."""
