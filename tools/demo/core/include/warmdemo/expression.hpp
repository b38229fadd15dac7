#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace warmdemo {

/// A formula over one scalar type: parsed once, evaluated often.
template <class T>
class Expression {
public:
    using Variables = std::map<std::string, T, std::less<>>;

    /// std::invalid_argument if the text is no formula.
    static Expression parse(std::string_view text);

    /// std::out_of_range if a variable has no value.
    T evaluate(const Variables& variables) const;

private:
    struct Node;
    // Expressions never change, so copies share their nodes.
    using Ref = std::shared_ptr<const Node>;
    struct Constant {
        T value;
    };
    struct Variable {
        std::string name;
    };
    struct Binary {
        char symbol;
        Ref left, right;
    };
    struct Call {
        T (*function)(const T&);
        Ref argument;
    };
    struct Node {
        std::variant<Constant, Variable, Binary, Call> content;
    };
    class Parser;

    explicit Expression(Ref root) : root_(std::move(root)) {}

    static T evaluate(const Node& node, const Variables& variables);

    Ref root_;
};

}  // namespace warmdemo
