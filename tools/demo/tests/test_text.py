"""The text kernels, against published examples."""

import importlib.metadata

import pytest

import warmdemo


def test_version() -> None:
    assert warmdemo.__version__ == importlib.metadata.version("warmdemo")


def test_edit_distances() -> None:
    assert warmdemo.levenshtein("kitten", "sitting") == 3
    assert warmdemo.levenshtein("", "abc") == 3
    assert warmdemo.levenshtein("naïve 🐍", "naive 🐢") == 2
    assert warmdemo.levenshtein("ca", "abc") == 3
    assert warmdemo.damerau_levenshtein("ca", "abc") == 2
    assert warmdemo.damerau_levenshtein("a cat", "an act") == 2


@pytest.mark.parametrize(
    ("a", "b", "similarity"),
    [
        ("MARTHA", "MARHTA", 0.9611),
        ("DIXON", "DICKSONX", 0.8133),
        ("DWAYNE", "DUANE", 0.84),
        ("abc", "xyz", 0),
        ("", "", 1),
    ],
)
def test_jaro_winkler(a: str, b: str, similarity: float) -> None:
    assert warmdemo.jaro_winkler(a, b) == pytest.approx(similarity, abs=5e-5)


def test_ngrams() -> None:
    assert warmdemo.ngram_similarity("night", "nacht") == pytest.approx(1 / 4)
    assert warmdemo.ngram_similarity("abab", "abab", 3) == pytest.approx(1)


def test_run_lengths() -> None:
    data = b"WWWWWBWWWBBB" + bytes(300)
    runs = warmdemo.run_length_encode(data)
    assert runs == [(87, 5), (66, 1), (87, 3), (66, 3), (0, 300)]
    assert warmdemo.run_length_decode(runs) == data


def test_huffman() -> None:
    code = warmdemo.Huffman(b"A_DEAD_DAD_CEDED_A_BAD_BABE_A_BEADED_ABACA_BED")
    assert code.bit_count == 115
    assert sorted(code.lengths.values()) == [2, 2, 2, 3, 4, 4]
    for data in (b"", b"a", b"aaaa", bytes(range(256)) * 3):
        assert warmdemo.Huffman(data).decode() == data


def test_tokenize() -> None:
    assert warmdemo.tokenize(" 2.5e1*x_1 - (.5) ") == [25.0, "*", "x_1", "-", "(", 0.5, ")"]
    assert warmdemo.tokenize(" \n") == []
    with pytest.raises(ValueError, match="position 2"):
        warmdemo.tokenize("1+?")


def test_settings() -> None:
    text = """
        name = "warm # demo"   # a comment
        jobs = 2
        [cache]
        warm = true
        size = -1.5e3
    """
    settings = warmdemo.parse_settings(text)
    assert settings == {
        "name": "warm # demo",
        "jobs": 2,
        "cache.warm": True,
        "cache.size": -1500.0,
    }
    assert {type(value) for value in settings.values()} == {str, int, bool, float}
    expanded = warmdemo.expand("${name}: ${jobs} jobs, ${cache.warm}", settings)
    assert expanded == "warm # demo: 2 jobs, true"
    with pytest.raises(IndexError):
        warmdemo.expand("${nothing}", settings)
    with pytest.raises(ValueError, match="line 2"):
        warmdemo.parse_settings("a = 1\nb = \n")
    with pytest.raises(ValueError, match="repeats"):
        warmdemo.parse_settings("a = 1\na = 2")


def test_expression() -> None:
    assert warmdemo.Expression("-2^2 + 2^-1 * (3 - 1)")() == pytest.approx(-3)
    assert warmdemo.Expression("2^3^2 / 4 - 7 - 1")() == pytest.approx(120)
    euler = warmdemo.Expression("exp(i * pi) + 1")
    assert euler(i=1j, pi=3.141592653589793) == pytest.approx(0)
    assert warmdemo.Expression("sqrt(x)")(x=-4) == pytest.approx(2j)
    with pytest.raises(IndexError, match="no value for x"):
        warmdemo.Expression("x + 1")()


@pytest.mark.parametrize("text", ["", "1 +", "(1", "1)", "f(2)", "2 3", "()", "1 = 1", "+ " * 1001])
def test_no_formula(text: str) -> None:
    with pytest.raises(ValueError):
        warmdemo.Expression(text)
