"""Texts that try to be more than text in wiki markup."""

from hypothesis import strategies as st

MARKUP = [
    "[~admin]", "[~accountid:5b10ac8d82e05b22cc7d4ef5]", "[~]", "[ ~ ]", "@admin", "[^report.pdf]",
    "[#top]", "[x|http://evil.example]", "[http://evil.example]", "[x|javascript:alert(1)]",
    "[x|mailto:a@b.c]", "[~a!!!|b]", "[x|http://evil.example|smart-card]", "http://evil.example/x",
    "HTTPS://evil.example", "ftp://evil.example", "irc://evil.example", "mailto:a@b.c", "!image.png!",
    "!http://evil.example/a.png|width=1!", "!", "!!", "{noformat}", "{NoFormat}", "{noformat:title=x}",
    "{ noformat}", "{code}", "{code:java}", "{quote}", "{panel}", "{panel:title=x}", "{color:red}",
    "{color}", "{anchor:x}", "{adf}", '{adf}{"type":"rule"}{adf}', "{loremipsum}", "{*}", "{_}", "{-}",
    "{+}", "{^}", "{~}", "{??}", "{{{}", "{}}}", "{{", "}}", "{", "}", "[", "]", "(", ")", "h1. ", "h6.",
    "H2. ", "bq. ", "* ", "** ", "# ", "- ", "-", "--", "---", "----", "-----", "|", "||", "|a|b|", "*",
    "_", "+", "^", "~", "?", "??", "???", "*b*", "_e_", "-d-", "+i+", "^s^", "~s~", "??c??", "{{m}}",
    ":)", ":-)", ":(", ";)", ":P", ":D", ":-D", "(y)", "(x)", "(/)", "(!)", "(*)", "(*r)", "(on)",
    "(flagoff)", "\\", "\\\\", "\\{", "\\[", "\\|", "\\\\server\\share", "C:\\foo", "C:\\(x)", "&#91;",
    "&lt;", "&#039;", "\n", "\n\n", "\r\n", "\r", " ", "  ", "\t", "\u00a0", "\u3000", "\u2028", "\u2029",
    "\x00", "\x1b[31m", "\x0c", "\u202e", "\u2066", "\u200b", "\u200d", "\u2060", "\ufeff", "\ud800",
    "\udc00", "😀", "e\u0301", "é", "日本", "²", "a", "foo", "my-app", "a_b_c", "std::vector<int>", "f(x)",
    "C++", "ABC-1", "1", ".", ",", ":", ";", "=", "/",
]  # fmt: skip

# Two thirds markup, so that openers and closers meet; the rest whatever Unicode has.
texts = st.lists(
    st.one_of(st.sampled_from(MARKUP), st.sampled_from(MARKUP), st.text(max_size=4)), max_size=12
).map("".join)
