"""Classes (班级): how many pupils, in which grade this year. The register names no pupil."""
