#include "warmdemo/expression.hpp"

#include <cmath>
#include <complex>
#include <cstddef>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "warmdemo/tokenizer.hpp"

namespace warmdemo {
namespace {

/// Formulas are walked recursively, so their size is bounded rather than the stack overrun.
constexpr std::size_t most_tokens = 1000;

template <class T>
using Functions = std::map<std::string, T (*)(const T&), std::less<>>;

template <class T>
const Functions<T>& functions() {
    static const Functions<T> table{
        {"sin", [](const T& x) -> T { return std::sin(x); }},
        {"cos", [](const T& x) -> T { return std::cos(x); }},
        {"tan", [](const T& x) -> T { return std::tan(x); }},
        {"exp", [](const T& x) -> T { return std::exp(x); }},
        {"log", [](const T& x) -> T { return std::log(x); }},
        {"sqrt", [](const T& x) -> T { return std::sqrt(x); }},
        {"abs", [](const T& x) -> T { return std::abs(x); }},
    };
    return table;
}

template <class T>
T number(long double value) {
    if constexpr (std::is_floating_point_v<T>)
        return static_cast<T>(value);
    else
        return static_cast<typename T::value_type>(value);
}

template <class... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace

/// By recursive descent: a sum of products of signed powers of atoms.
template <class T>
class Expression<T>::Parser {
public:
    explicit Parser(std::string_view text) : tokens_(tokenize(text)) {
        if (tokens_.size() > most_tokens) throw std::invalid_argument("the formula is too long");
    }

    Ref parse() {
        Ref result = sum();
        if (next_ < tokens_.size())
            throw std::invalid_argument("the formula goes on after its end");
        return result;
    }

private:
    template <class Content>
    static Ref make(Content content) {
        return std::make_shared<Node>(Node{std::move(content)});
    }

    /// The operator that comes next, if it is one of these; otherwise zero.
    char accept(std::string_view symbols) {
        if (next_ == tokens_.size()) return 0;
        const auto* found = std::get_if<Operator<char>>(&tokens_[next_]);
        if (!found || symbols.find(found->symbol) == symbols.npos) return 0;
        ++next_;
        return found->symbol;
    }

    Ref sum() {
        Ref left = product();
        while (const char symbol = accept("+-")) left = make(Binary{symbol, left, product()});
        return left;
    }

    Ref product() {
        Ref left = sign();
        while (const char symbol = accept("*/")) left = make(Binary{symbol, left, sign()});
        return left;
    }

    Ref sign() {
        if (accept("-")) return make(Binary{'*', constant(-1), sign()});
        if (accept("+")) return sign();
        // A power binds tighter than the sign before it; its exponent may have one of its own.
        Ref base = atom();
        return accept("^") ? make(Binary{'^', base, sign()}) : base;
    }

    Ref atom() {
        if (accept("(")) return closed(sum());
        if (next_ == tokens_.size()) throw std::invalid_argument("the formula ends too early");
        return std::visit(
            Overloaded{[](const Number& token) { return constant(token.value); },
                       [this](const Name<char>& token) { return named(token.text); },
                       [](const Operator<char>& token) -> Ref {
                           throw std::invalid_argument(std::string("unexpected ") + token.symbol);
                       }},
            tokens_[next_++]);
    }

    Ref named(const std::string& name) {
        if (!accept("(")) return make(Variable{name});
        const auto found = functions<T>().find(name);
        if (found == functions<T>().end()) throw std::invalid_argument("unknown function " + name);
        return make(Call{found->second, closed(sum())});
    }

    Ref closed(Ref inner) {
        if (!accept(")")) throw std::invalid_argument("a parenthesis is not closed");
        return inner;
    }

    static Ref constant(long double value) { return make(Constant{number<T>(value)}); }

    std::vector<Token<char>> tokens_;
    std::size_t next_ = 0;
};

template <class T>
Expression<T> Expression<T>::parse(std::string_view text) {
    return Expression(Parser(text).parse());
}

template <class T>
T Expression<T>::evaluate(const Variables& variables) const {
    return evaluate(*root_, variables);
}

template <class T>
T Expression<T>::evaluate(const Node& node, const Variables& variables) {
    const auto of_variable = [&](const Variable& variable) {
        const auto found = variables.find(variable.name);
        if (found == variables.end()) throw std::out_of_range("no value for " + variable.name);
        return found->second;
    };
    const auto of_binary = [&](const Binary& binary) -> T {
        const T left = evaluate(*binary.left, variables);
        const T right = evaluate(*binary.right, variables);
        switch (binary.symbol) {
            case '+': return left + right;
            case '-': return left - right;
            case '*': return left * right;
            case '/': return left / right;
            default: return std::pow(left, right);
        }
    };
    return std::visit(Overloaded{[](const Constant& constant) { return constant.value; },
                                 [&](const Call& call) {
                                     return call.function(evaluate(*call.argument, variables));
                                 },
                                 of_variable, of_binary},
                      node.content);
}

template class Expression<float>;
template class Expression<double>;
template class Expression<long double>;
template class Expression<std::complex<float>>;
template class Expression<std::complex<double>>;
template class Expression<std::complex<long double>>;

}  // namespace warmdemo
