"""What the municipality of the benches is made of: its real districts, usual names, bells."""

from __future__ import annotations

from datetime import time

DISTRICTS = (
    ("120101", "和平区", "Heping", "central"), ("120102", "河东区", "Hedong", "central"),
    ("120103", "河西区", "Hexi", "central"), ("120104", "南开区", "Nankai", "central"),
    ("120105", "河北区", "Hebei", "central"), ("120106", "红桥区", "Hongqiao", "central"),
    ("120110", "东丽区", "Dongli", "ring"), ("120111", "西青区", "Xiqing", "ring"),
    ("120112", "津南区", "Jinnan", "ring"), ("120113", "北辰区", "Beichen", "ring"),
    ("120114", "武清区", "Wuqing", "far"), ("120115", "宝坻区", "Baodi", "far"),
    ("120116", "滨海新区", "Binhai", "special"), ("120117", "宁河区", "Ninghe", "far"),
    ("120118", "静海区", "Jinghai", "far"), ("120119", "蓟州区", "Jizhou", "far"),
)  # fmt: skip
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉建华玉凤志红梅婷雪宇浩晨思雨欣"
SUBJECTS = ("chinese", "maths", "english", "science", "music", "art", "pe", "it", "labour", "morality")
PERIODS = (time(8), time(8, 50), time(9, 50), time(10, 40), time(14), time(14, 50), time(15, 40))
FIRST_POSTS = ("school_admin", "dean", "technician", *["assistant"] * 9)
KINDS = {"primary": "小学", "junior": "中学", "nine_year": "学校"}
