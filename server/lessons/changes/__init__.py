"""Changes of dated lessons: 调课, 停课, 补课, 代课, 换教室; who and why is kept, and each can be undone."""
