"""受邀确认: a receiving school confirms within two school days, or objects; silence goes to its district."""
