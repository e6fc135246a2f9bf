"""The page that says how a screen comes to trust this machine on its LAN (`tongtang up --tls`)."""
