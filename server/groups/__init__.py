"""Groups of schools across districts: 教育集团, 学区, 区域发展共同体, 直属帮扶."""
