"""研修活动 and 同步教研: people, rooms and a time, planned by studios in the calendar that lessons use."""
