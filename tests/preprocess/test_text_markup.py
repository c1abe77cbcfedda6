import random
from html.parser import HTMLParser

import pytest
import tensorflow as tf

from mmrec.preprocess.text_markup import strip_markup

STARTS = ["<p>", '<a href="x">', "<td nowrap>", "<o:p>", '<img src="a.jpg" alt="5 > 4"/>', "<video controls muted>"]
STARTS += ["<br>", "<option selected value=2>", """<a href="x"title='y'>""", "<product-card open>", "<h2 class=b>"]
OTHERS = ["</p>", "</a >", "</o:p>", "</product-card>", "<!-- a < b > c -->", "<!DOCTYPE html>", "<?xml version='1'?>"]
OTHERS += ["<script>if (a<b) { x() }</script>", "<STYLE type='text/css'>p > a {}</STYLE>"]
WORDS = ["mug", " 3 < 5 ", "<3", "tea & co", "6 > 4", " ", "x<-y", "AT&T"]


class Reader(HTMLParser):
    """Keeps the text of a page but scripts and styles."""

    def __init__(self):
        super().__init__()
        self.parts, self.raw = [], False

    def handle_starttag(self, tag, attrs):
        self.parts.append(" ")
        self.raw = tag in ("script", "style")

    def handle_endtag(self, tag):
        self.parts.append(" ")
        self.raw = False

    def handle_decl(self, decl):
        self.parts.append(" ")

    handle_pi = handle_comment = handle_decl

    def handle_data(self, data):
        if not self.raw:
            self.parts.append(data)


def read(text):
    reader = Reader()
    reader.feed(text)
    reader.close()
    return "".join(reader.parts).split()


def strip(*texts):
    return [text.decode() for text in strip_markup(tf.constant(list(texts))).numpy()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Salt &amp; pepper", "Salt & pepper"),
        ("red<br/>mug<BR>cup", "red mug cup"),
        ('<p class="a > b" id=x>Tea</p>', " Tea "),
        ("<b>Tea</b> <!-- a < b --> pot", " Tea    pot"),
        ("a<script>if (x<y) {}</script>b<style>p {}</style>c", "a b c"),
        ("&lt;b&gt;bold&lt;/b&gt;", " bold "),  # escaped tags are tags, too
        ("<unknown>mug</unknown>", " mug "),
        ("<w:sdt><g>mug</g></w:sdt>", "  mug  "),
        ("<div hidden>a</div><p hidden>b</p>cup<p hidden>d", " a  b cup d"),
        ("<button @click='a > b' :class=x v-model>mug", " mug"),
        ('<img alt="5" tall" src=x>mug', " mug"),  # a quotation mark too many
        ('<a href="x>mug</a> and "more"', ' mug  and "more"'),  # one too few
        ("<![CDATA[<p>mug & cup</p>]]>", "  mug & cup  "),
        ("<![if mso]>mug<![endif]>", " mug "),
        ("a<script src='x'/>b", "a b"),
        ("", ""),
    ],
)
def test_tags_become_spaces(text, expected):
    assert strip(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "3 < 5 and 6 > 4",
        "a<b and c>d <3 <- x",
        "price<cost and cost>limit",
        "size <M> or <X>",
        "by <me@shop.example>, see <http://shop.example/a>",
        "x<y",
        "a<b",
        "x<y-1",
        "I </3 you",
        "width<height and depth=5 which is all",
        "if cost <limit",
    ],
)
def test_what_only_looks_like_a_tag_stays(text):
    assert strip(text) == [text]


@pytest.mark.parametrize(
    "end",
    [
        "<br",
        "<br /",
        "<sp",
        "<b",
        "</",
        "</strong",
        "<p clas",
        '<span class="a-text" id="title',
        "<a href=x title=",
        "<img src='a.jpg' alt='red mug, 5",
        "<iframe allowfullscreen",
        "<product-card id='a' ",
        "<product-card open",
        "<!-- not closed <b>",
        "<!DOCTYPE ht",
        "<?xml vers",
        "<script>var mug = 1;",
        "<style>p {",
    ],
)
def test_a_tag_that_was_cut_at_the_end_of_a_text_is_removed(end):
    assert [text.split() for text in strip(f"Great mug {end}", f"Great mug{end}")] == [["Great", "mug"]] * 2


def test_texts_of_drawn_tags_are_what_the_parser_of_python_reads():
    draw = random.Random(0)
    texts = ["".join(draw.choices(STARTS + OTHERS + WORDS, k=draw.randint(1, 12))) + " end" for _ in range(500)]
    assert [text.split() for text in strip(*texts)] == [read(text) for text in texts]
    assert sum("<script" in text and "mug" in text for text in texts) > 20


def test_each_text_is_read_alone():
    texts = tf.constant(["a &amp; b", "plain", "&lt;", "", "<i>x</i>"])
    graph = tf.function(strip_markup)
    assert graph(texts).numpy().tolist() == [strip_markup(text[tf.newaxis]).numpy()[0] for text in texts]
    assert graph(texts).numpy().tolist() == [b"a & b", b"plain", b"<", b"", b" x "]
    assert graph(tf.zeros([0], tf.string)).shape == (0,)
