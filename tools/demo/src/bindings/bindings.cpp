#include <pybind11/complex.h>
#include <pybind11/operators.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>

#include "warmdemo/codec.hpp"
#include "warmdemo/decompositions.hpp"
#include "warmdemo/expression.hpp"
#include "warmdemo/fft.hpp"
#include "warmdemo/graph.hpp"
#include "warmdemo/interval_tree.hpp"
#include "warmdemo/kd_tree.hpp"
#include "warmdemo/polynomial.hpp"
#include "warmdemo/quantile_sketch.hpp"
#include "warmdemo/random.hpp"
#include "warmdemo/settings.hpp"
#include "warmdemo/statistics.hpp"
#include "warmdemo/string_distance.hpp"
#include "warmdemo/tokenizer.hpp"

namespace py = pybind11;
using namespace py::literals;
using namespace warmdemo;

namespace {

using Byte = std::uint8_t;

std::vector<Byte> to_symbols(const py::bytes& data) {
    const auto view = static_cast<std::string_view>(data);
    return {view.begin(), view.end()};
}

py::bytes to_bytes(const std::vector<Byte>& symbols) {
    return py::bytes(reinterpret_cast<const char*>(symbols.data()), symbols.size());
}

void bind_numbers(py::module_& m) {
    using Real = double;
    using Sample = std::vector<Real>;

    py::class_<Summary<Real>>(m, "Summary", "Moments of a sample.")
        .def_readonly("count", &Summary<Real>::count)
        .def_readonly("minimum", &Summary<Real>::minimum)
        .def_readonly("maximum", &Summary<Real>::maximum)
        .def_readonly("mean", &Summary<Real>::mean)
        .def_readonly("variance", &Summary<Real>::variance, "The unbiased estimate.")
        .def_readonly("skewness", &Summary<Real>::skewness)
        .def_readonly("kurtosis", &Summary<Real>::kurtosis, "In excess of the normal's.");
    m.def("summarize", &summarize<Real>, "values"_a, "The moments of a sample, in one pass.");
    m.def("quantile", &quantile<Real>, "values"_a, "q"_a,
          "The quantile by linear interpolation between order statistics.");
    // The integers come first: what is no integer falls through to the floats.
    m.def("modes", &modes<std::int64_t>, "values"_a, "The most frequent values, ascending.");
    m.def("modes", &modes<Real>, "values"_a);
    m.def("moving_median", &moving_median<Real>, "values"_a, "width"_a,
          "The median of every full window.");
    m.def("ranks", &ranks<Real>, "values"_a, "Ranks from 1; equal values share their mean.");
    m.def("correlation", &correlation<Real>, "x"_a, "y"_a, "Pearson's coefficient.");
    m.def("rank_correlation", &rank_correlation<Real>, "x"_a, "y"_a, "Spearman's coefficient.");

    using Sketch = QuantileSketch<Real>;
    py::class_<Sketch>(m, "QuantileSketch", "Approximate quantiles of a stream, in bounded memory.")
        .def(py::init<double>(), "compression"_a = 100.0)
        .def("add", &Sketch::add, "value"_a, "weight"_a = 1.0)
        .def("merge", &Sketch::merge, "other"_a, "Add all that the other sketch has seen.")
        .def("quantile", &Sketch::quantile, "q"_a)
        .def("cumulative", &Sketch::cumulative, "value"_a, "The share of what is below the value.")
        .def_property_readonly("total_weight", &Sketch::total_weight)
        .def_property_readonly("centroid_count", &Sketch::centroid_count);

    m.def(
        "fft",
        [](const std::vector<std::complex<Real>>& signal, bool inverse) {
            return fft(signal, inverse ? Direction::inverse : Direction::forward);
        },
        "signal"_a, "inverse"_a = false, "The Fourier transform of any length.");
    m.def("power_spectrum", &power_spectrum<Real>, "signal"_a,
          "Squared magnitudes of the first n // 2 + 1 frequencies.");
    m.def("convolve", &convolve<Real>, "a"_a, "b"_a, "The full linear convolution.");

    using Rows = std::vector<Sample>;
    m.def(
        "determinant", [](const Rows& a) { return determinant(Matrix<Real>::from_rows(a)); }, "a"_a,
        "The determinant of a matrix given as rows.");
    m.def(
        "solve",
        [](const Rows& a, Sample b) { return solve(Matrix<Real>::from_rows(a), std::move(b)); },
        "a"_a, "b"_a, "The solution of a x = b.");
    m.def(
        "least_squares",
        [](const Rows& a, Sample b) {
            return least_squares(Matrix<Real>::from_rows(a), std::move(b));
        },
        "a"_a, "b"_a, "The x that minimises |a x - b|.");

    using Poly = Polynomial<Real>;
    py::class_<Poly>(m, "Polynomial", "A real polynomial, its constant coefficient first.")
        .def(py::init<Sample>(), "coefficients"_a)
        .def_static("from_roots", &Poly::from_roots, "roots"_a)
        .def_property_readonly("coefficients", &Poly::coefficients)
        .def_property_readonly("degree", &Poly::degree)
        .def("__call__", py::overload_cast<Real>(&Poly::operator(), py::const_), "x"_a)
        .def("__call__", py::overload_cast<std::complex<Real>>(&Poly::operator(), py::const_),
             "x"_a)
        .def(py::self + py::self)
        .def(py::self * py::self)
        .def("__divmod__", &Poly::divide, py::is_operator())
        .def("derivative", &Poly::derivative)
        .def("roots", &Poly::roots, "All complex roots, by real and then imaginary part.");

    py::class_<Random>(m, "Random",
                       "Random numbers by pcg32, splitmix64, xoshiro256 or mt19937_64.")
        .def(py::init<std::string_view, std::uint64_t>(), "engine"_a = "pcg32", "seed"_a = 0)
        .def("word", &Random::word, "The engine's next word.")
        .def("below", &Random::below, "bound"_a, "An unbiased integer below the bound.")
        .def("uniform", &Random::uniform, "count"_a, "low"_a = 0.0, "high"_a = 1.0)
        .def("normal", &Random::normal, "count"_a, "mean"_a = 0.0, "deviation"_a = 1.0)
        .def("weighted", &Random::weighted, "count"_a, "weights"_a,
             "Indices drawn with these weights.")
        .def("sample", &Random::sample, "bound"_a, "count"_a, "Different numbers below the bound.");
}

template <std::size_t Dim>
void bind_kd_tree(py::module_& m, const char* name) {
    using Tree = KdTree<double, Dim>;
    py::class_<Tree>(m, name, "A static tree of points.")
        .def(py::init<std::vector<typename Tree::Point>>(), "points"_a)
        .def("__len__", &Tree::size)
        .def(
            "nearest",
            [](const Tree& self, const typename Tree::Point& query, std::size_t count) {
                std::vector<std::pair<std::size_t, double>> result;
                for (const auto& [index, distance] : self.nearest(query, count))
                    result.emplace_back(index, distance);
                return result;
            },
            "query"_a, "count"_a = 1, "Pairs of index and distance, closest first.")
        .def("within", &Tree::within, "query"_a, "radius"_a, "Indices, ascending.");
}

void bind_structures(py::module_& m) {
    bind_kd_tree<2>(m, "KdTree2D");
    bind_kd_tree<3>(m, "KdTree3D");

    using Tree = IntervalTree<double>;
    using Pairs = std::vector<std::pair<double, double>>;
    py::class_<Tree>(m, "IntervalTree", "A static tree of closed intervals.")
        .def(py::init([](const Pairs& pairs) {
                 std::vector<Interval<double>> intervals;
                 for (const auto& [low, high] : pairs) intervals.push_back({low, high});
                 return Tree(std::move(intervals));
             }),
             "intervals"_a)
        .def("__len__", &Tree::size)
        .def("overlapping", &Tree::overlapping, "low"_a, "high"_a, "Indices, ascending.")
        .def(
            "merged",
            [](const Tree& self) {
                Pairs result;
                for (const auto& [low, high] : self.merged()) result.emplace_back(low, high);
                return result;
            },
            "The union as disjoint intervals.")
        .def("depth", &Tree::depth, "The largest number of intervals that share a point.");

    using Weights = Graph<double>;
    using Paths = PathTree<double>;
    py::class_<Paths>(m, "PathTree", "The shortest paths from one vertex; None is out of reach.")
        .def_readonly("distances", &Paths::distances)
        .def_readonly("parents", &Paths::parents)
        .def("path_to", &Paths::path_to, "target"_a, "The vertices on the way; empty if none is.");
    py::class_<Weights>(m, "Graph", "A directed graph with weighted edges.")
        .def(py::init<std::size_t>(), "vertex_count"_a)
        .def("__len__", &Weights::size)
        .def("add_edge", &Weights::add_edge, "source"_a, "target"_a, "weight"_a = 1.0)
        .def("dijkstra", &Weights::dijkstra, "source"_a)
        .def("bellman_ford", &Weights::bellman_ford, "source"_a, "Negative weights are allowed.")
        .def(
            "spanning_forest",
            [](const Weights& self) {
                std::vector<std::tuple<std::size_t, std::size_t, double>> result;
                for (const auto& [from, to, weight] : self.spanning_forest())
                    result.emplace_back(from, to, weight);
                return result;
            },
            "The edges of a minimum spanning forest.")
        .def("topological_order", &Weights::topological_order);
}

void bind_text(py::module_& m) {
    // Python's strings are sequences of code points, and so is UTF-32.
    m.def("levenshtein", &levenshtein<char32_t>, "a"_a, "b"_a,
          "The number of edits between two texts.");
    m.def("damerau_levenshtein", &damerau_levenshtein<char32_t>, "a"_a, "b"_a,
          "The number of edits, with swaps of neighbours among them.");
    m.def("jaro_winkler", &jaro_winkler<char32_t>, "a"_a, "b"_a, "A similarity from 0 to 1.");
    m.def("ngram_similarity", &ngram_similarity<char32_t>, "a"_a, "b"_a, "n"_a = 2,
          "The cosine between counts of n-grams.");

    m.def(
        "run_length_encode",
        [](const py::bytes& data) {
            std::vector<std::pair<Byte, std::size_t>> result;
            for (const auto& [symbol, length] : run_length_encode(to_symbols(data)))
                result.emplace_back(symbol, length);
            return result;
        },
        "data"_a, "Pairs of a byte and how often it is repeated.");
    m.def(
        "run_length_decode",
        [](const std::vector<std::pair<Byte, std::size_t>>& pairs) {
            std::vector<Run<Byte>> runs;
            for (const auto& [symbol, length] : pairs) runs.push_back({symbol, length});
            return to_bytes(run_length_decode(runs));
        },
        "runs"_a);

    using Code = Huffman<Byte>;
    py::class_<Code>(m, "Huffman", "Bytes in a canonical Huffman code.")
        .def(py::init([](const py::bytes& data) { return huffman_encode(to_symbols(data)); }),
             "data"_a)
        .def_readonly("lengths", &Code::lengths, "The length in bits of every byte's code.")
        .def_readonly("bit_count", &Code::bit_count)
        .def("decode", [](const Code& self) { return to_bytes(huffman_decode(self)); });

    m.def(
        "tokenize",
        [](std::string_view text) {
            py::list result;
            for (const auto& token : tokenize(text)) {
                if (const auto* number = std::get_if<Number>(&token))
                    result.append(static_cast<double>(number->value));
                else if (const auto* name = std::get_if<Name<char>>(&token))
                    result.append(name->text);
                else
                    result.append(std::get<Operator<char>>(token).symbol);
            }
            return result;
        },
        "text"_a, "The numbers, names and operators of a formula.");
    m.def("parse_settings", &parse_settings<char>, "text"_a, "Read lines of `name = value`.");
    m.def("expand", &expand<char>, "text"_a, "settings"_a, "Replace every `${name}`.");

    // Complex formulas have real values where real ones do, and more.
    using Formula = Expression<std::complex<double>>;
    py::class_<Formula>(m, "Expression", "A formula, parsed once and evaluated often.")
        .def(py::init(&Formula::parse), "text"_a)
        .def(
            "__call__",
            [](const Formula& self, const py::kwargs& values) {
                return self.evaluate(values.cast<Formula::Variables>());
            },
            "The complex value, given the variables' values.");
}

}  // namespace

PYBIND11_MODULE(_core, m) {
    m.doc() = "The compiled part of warmdemo.";
    bind_numbers(m);
    bind_structures(m);
    bind_text(m);
}
