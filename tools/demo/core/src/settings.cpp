#include "warmdemo/settings.hpp"

#include <algorithm>
#include <stdexcept>

#include "warmdemo/text.hpp"

namespace warmdemo {
namespace {

constexpr std::string_view section_pattern = R"(\s*\[\s*([A-Za-z_][\w.-]*)\s*\]\s*(?:#.*)?)";

constexpr std::string_view setting_pattern =
    R"re(\s*(?:([A-Za-z_][\w.-]*)\s*=\s*(?:(true|false)|([+-]?\d+))re"
    R"re(|([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|"([^"]*)"))?\s*(?:#.*)?)re";

constexpr std::string_view reference_pattern = R"(\$\{\s*([A-Za-z_][\w.-]*)\s*\})";

template <class Char>
Setting<Char> read_setting(const std::match_results<const Char*>& match) {
    if (match[2].matched) return *match[2].first == Char('t');
    if (match[3].matched) return read_number<std::int64_t>(match.str(3));
    if (match[4].matched) return read_number<double>(match.str(4));
    return match.str(5);
}

template <class Char>
std::basic_string<Char> write_setting(const Setting<Char>& setting) {
    std::basic_ostringstream<Char> out;
    out.imbue(std::locale::classic());
    out << std::boolalpha;
    std::visit([&out](const auto& value) { out << value; }, setting);
    return out.str();
}

}  // namespace

template <class Char>
Settings<Char> parse_settings(std::basic_string_view<Char> text) {
    static const auto section = pattern<Char>(section_pattern);
    static const auto setting = pattern<Char>(setting_pattern);
    Settings<Char> settings;
    std::basic_string<Char> prefix;
    for (std::size_t first = 0, line = 1; first < text.size(); ++line) {
        const std::size_t last = std::min(text.find(Char('\n'), first), text.size());
        const Char *begin = text.data() + first, *end = text.data() + last;
        std::match_results<const Char*> match;
        if (std::regex_match(begin, end, match, section))
            prefix = match.str(1) + Char('.');
        else if (!std::regex_match(begin, end, match, setting))
            throw std::invalid_argument("line " + std::to_string(line) + " is no setting");
        else if (match[1].matched &&
                 !settings.emplace(prefix + match.str(1), read_setting(match)).second)
            throw std::invalid_argument("line " + std::to_string(line) + " repeats a name");
        first = last + 1;
    }
    return settings;
}

template <class Char>
std::basic_string<Char> expand(std::basic_string_view<Char> text, const Settings<Char>& settings) {
    static const auto reference = pattern<Char>(reference_pattern);
    using Iterator = std::regex_iterator<const Char*>;
    const Char *position = text.data(), *const last = position + text.size();
    std::basic_string<Char> result;
    for (Iterator it(position, last, reference), end; it != end; ++it) {
        const auto found = settings.find(it->str(1));
        if (found == settings.end()) throw std::out_of_range("an unknown name is referred to");
        result.append(position, (*it)[0].first);
        result += write_setting<Char>(found->second);
        position = (*it)[0].second;
    }
    return result.append(position, last);
}

#define WARMDEMO_INSTANTIATE(Char)                                        \
    template Settings<Char> parse_settings(std::basic_string_view<Char>); \
    template std::basic_string<Char> expand(std::basic_string_view<Char>, const Settings<Char>&);

WARMDEMO_INSTANTIATE(char)
WARMDEMO_INSTANTIATE(wchar_t)

}  // namespace warmdemo
