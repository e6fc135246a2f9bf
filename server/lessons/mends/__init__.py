"""补签: a sign-in missing at the bell is made good within three school days, with a reason and the school's word."""
