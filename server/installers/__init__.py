"""听讲端安装包: what makes an unattended old PC a classroom's screen, and the page that says why it is none yet."""
