"""First passwords for a whole school, on paper (首次密码)."""
