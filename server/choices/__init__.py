"""What a form lets one choose from: all of it while it is little, else found by typing (选项)."""
