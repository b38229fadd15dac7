"""The numeric kernels, against values from the literature or from Python itself."""

import cmath
import math
import statistics

import pytest

import warmdemo

SAMPLE = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]


def test_summary() -> None:
    summary = warmdemo.summarize(SAMPLE)
    assert (summary.count, summary.minimum, summary.maximum) == (8, 2.0, 9.0)
    assert summary.mean == pytest.approx(5)
    assert summary.variance == pytest.approx(statistics.variance(SAMPLE))
    assert summary.skewness == pytest.approx(0.65625)
    assert summary.kurtosis == pytest.approx(-0.21875)


def test_variance_survives_a_large_mean() -> None:
    assert warmdemo.summarize([1e9 + x for x in SAMPLE]).variance == pytest.approx(32 / 7)


def test_order_statistics() -> None:
    quartiles = statistics.quantiles(SAMPLE, n=4, method="inclusive")
    assert [warmdemo.quantile(SAMPLE, q) for q in (0.25, 0.5, 0.75)] == pytest.approx(quartiles)
    assert warmdemo.modes([3, 1, 3, 1, 2]) == [1, 3]
    assert warmdemo.modes([0.5, 0.5, 1]) == [0.5]
    assert warmdemo.ranks([10, 20, 10, 5]) == [2.5, 4, 2.5, 1]


@pytest.mark.parametrize("width", range(1, 8))
def test_moving_median(width: int) -> None:
    values = [float((7 * i * i) % 23) for i in range(60)]
    windows = [values[i : i + width] for i in range(len(values) - width + 1)]
    assert warmdemo.moving_median(values, width) == [statistics.median(w) for w in windows]


def test_correlation() -> None:
    x = [1.0, 2.0, 3.0, 4.0, 5.0]
    assert warmdemo.correlation(x, [2, 1, 4, 3, 5]) == pytest.approx(0.8)
    assert warmdemo.rank_correlation(x, [math.exp(v) for v in x]) == pytest.approx(1)
    with pytest.raises(ValueError, match="constant"):
        warmdemo.correlation(x, [1.0] * 5)


def test_bad_samples() -> None:
    with pytest.raises(ValueError, match="empty"):
        warmdemo.summarize([])
    with pytest.raises(ValueError, match="NaN"):
        warmdemo.quantile([1.0, math.nan], 0.5)


def test_quantile_sketch() -> None:
    size = 20_000
    left, right = warmdemo.QuantileSketch(), warmdemo.QuantileSketch()
    for i in range(size):
        # 7919 shares no factor with the size, so that this is a permutation.
        (left if i % 3 else right).add(i * 7919 % size)
    left.merge(right)
    assert left.total_weight == size
    assert left.centroid_count < 200
    assert left.quantile(0) == 0
    assert left.quantile(1) == size - 1
    for q in (0.001, 0.01, 0.25, 0.5, 0.9, 0.999):
        assert left.quantile(q) == pytest.approx(q * size, abs=0.005 * size)
        assert left.cumulative(left.quantile(q)) == pytest.approx(q, abs=1e-9)


@pytest.mark.parametrize("size", [1, 2, 8, 15, 84, 11, 97, 100])
def test_fft(size: int) -> None:
    signal = [complex((3 * k) % 7, (k * k) % 5) for k in range(size)]
    root = -2j * cmath.pi / size
    expected = [
        sum(x * cmath.exp(root * (j * k % size)) for k, x in enumerate(signal)) for j in range(size)
    ]
    spectrum = warmdemo.fft(signal)
    assert spectrum == pytest.approx(expected, abs=1e-9)
    assert warmdemo.fft(spectrum, inverse=True) == pytest.approx(signal, abs=1e-12)


def test_spectrum_and_convolution() -> None:
    wave = [math.cos(2 * math.pi * 5 * k / 64) for k in range(64)]
    spectrum = warmdemo.power_spectrum(wave)
    assert len(spectrum) == 33
    assert spectrum[5] == pytest.approx(32**2)
    assert sum(spectrum) == pytest.approx(32**2)
    assert warmdemo.convolve([1, 2, 3], [0, 1, 0.5]) == pytest.approx([0, 1, 2.5, 4, 1.5])


def test_linear_systems() -> None:
    a = [[2.0, 1.0, -1.0], [-3.0, -1.0, 2.0], [-2.0, 1.0, 2.0]]
    assert warmdemo.determinant(a) == pytest.approx(-1)
    assert warmdemo.solve(a, [8, -11, -3]) == pytest.approx([2, 3, -1])
    with pytest.raises(ValueError, match="singular"):
        warmdemo.solve([[1, 2], [2, 4]], [1, 2])
    # The line through (0, 6), (1, 0), (2, 0) with the least squared error is 5 - 3x.
    line = warmdemo.least_squares([[1, 0], [1, 1], [1, 2]], [6, 0, 0])
    assert line == pytest.approx([5, -3])


def test_polynomial() -> None:
    wilkinson = warmdemo.Polynomial.from_roots([1, 2, 3, 4, 5, 6, 7, 8])
    assert wilkinson.degree == 8
    assert wilkinson.coefficients[0] == math.factorial(8)
    assert wilkinson.roots() == pytest.approx(list(range(1, 9)), abs=1e-6)
    assert warmdemo.Polynomial([0, 4, 0, 1]).roots() == pytest.approx([-2j, 0, 2j])

    p = warmdemo.Polynomial([-4, 0, -2, 1])
    divisor = warmdemo.Polynomial([-3, 1])
    quotient, remainder = divmod(p, divisor)
    assert quotient.coefficients == [3, 1, 1]
    assert remainder.coefficients == [5]
    assert (quotient * divisor + remainder).coefficients == p.coefficients
    assert p(3.0) == 5
    assert p(1j) == pytest.approx(-2 - 1j)
    assert p.derivative().coefficients == [0, -4, 3]


def test_engines() -> None:
    """The first words are those that the engines' authors, and the C++ standard, publish."""
    pcg = warmdemo.Random("pcg32", 42)
    assert [pcg.word() for _ in range(3)] == [2707161783, 2068313097, 3122475824]
    splitmix = warmdemo.Random("splitmix64", 1234567)
    assert [splitmix.word() for _ in range(2)] == [6457827717110365317, 3203168211198807973]
    mersenne = warmdemo.Random("mt19937_64", 5489)
    assert [mersenne.word() for _ in range(10_000)][-1] == 9981545732273789042
    with pytest.raises(ValueError, match="unknown engine"):
        warmdemo.Random("dice")


@pytest.mark.parametrize("engine", ["pcg32", "splitmix64", "xoshiro256", "mt19937_64"])
def test_distributions(engine: str) -> None:
    random = warmdemo.Random(engine, 7)
    uniform = random.uniform(20_000, -1, 3)
    assert -1 <= min(uniform) <= max(uniform) < 3
    assert statistics.fmean(uniform) == pytest.approx(1, abs=0.05)
    normal = warmdemo.summarize(random.normal(20_000, 10, 2))
    assert normal.mean == pytest.approx(10, abs=0.1)
    assert normal.variance == pytest.approx(4, abs=0.3)
    drawn = random.weighted(20_000, [1, 0, 3])
    assert drawn.count(1) == 0
    assert drawn.count(2) == pytest.approx(15_000, abs=400)
    assert sorted(random.sample(50, 50)) == list(range(50))
    assert all(random.below(6) < 6 for _ in range(100))
    assert warmdemo.Random(engine, 1).sample(9, 5) == warmdemo.Random(engine, 1).sample(9, 5)
