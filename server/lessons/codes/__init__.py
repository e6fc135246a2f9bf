"""上课码: a short code that opens one lesson for its teacher, who is locked out a minute before the bell."""
