#include "warmdemo/graph.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <numeric>
#include <queue>
#include <stdexcept>
#include <utility>

namespace warmdemo {
namespace {

/// Disjoint sets, with paths halved on the way.
class UnionFind {
public:
    explicit UnionFind(std::size_t size) : parents_(size) {
        std::iota(parents_.begin(), parents_.end(), std::size_t{0});
    }

    /// False if the two were together already.
    bool unite(std::size_t a, std::size_t b) {
        a = root(a);
        b = root(b);
        if (a != b) parents_[a] = b;
        return a != b;
    }

private:
    std::size_t root(std::size_t x) {
        while (parents_[x] != x) x = parents_[x] = parents_[parents_[x]];
        return x;
    }

    std::vector<std::size_t> parents_;
};

template <class T>
using MinQueue = std::priority_queue<T, std::vector<T>, std::greater<>>;

}  // namespace

template <class Weight>
std::vector<std::size_t> PathTree<Weight>::path_to(std::size_t target) const {
    if (!distances.at(target)) return {};
    std::vector<std::size_t> path{target};
    while (const auto parent = parents[path.back()]) path.push_back(*parent);
    std::reverse(path.begin(), path.end());
    return path;
}

template <class Weight>
void Graph<Weight>::require_vertex(std::size_t vertex) const {
    if (vertex >= size()) throw std::out_of_range("there is no such vertex");
}

template <class Weight>
void Graph<Weight>::add_edge(std::size_t from, std::size_t to, Weight weight) {
    require_vertex(from);
    require_vertex(to);
    // Only NaN differs from itself, and no order of paths survives it.
    if (weight != weight) throw std::invalid_argument("a weight must be a number");
    adjacency_[from].push_back({from, to, weight});
}

template <class Weight>
PathTree<Weight> Graph<Weight>::dijkstra(std::size_t source) const {
    require_vertex(source);
    PathTree<Weight> tree{std::vector<std::optional<Weight>>(size()),
                          std::vector<std::optional<std::size_t>>(size())};
    MinQueue<std::pair<Weight, std::size_t>> queue;
    tree.distances[source] = Weight(0);
    queue.emplace(Weight(0), source);
    while (!queue.empty()) {
        const auto [distance, vertex] = queue.top();
        queue.pop();
        // A shorter way was found after this entry was queued.
        if (distance > *tree.distances[vertex]) continue;
        for (const auto& edge : adjacency_[vertex]) {
            if (edge.weight < 0) throw std::domain_error("a weight is negative");
            const Weight candidate = distance + edge.weight;
            auto& known = tree.distances[edge.to];
            if (known && *known <= candidate) continue;
            known = candidate;
            tree.parents[edge.to] = vertex;
            queue.emplace(candidate, edge.to);
        }
    }
    return tree;
}

template <class Weight>
PathTree<Weight> Graph<Weight>::bellman_ford(std::size_t source) const {
    require_vertex(source);
    PathTree<Weight> tree{std::vector<std::optional<Weight>>(size()),
                          std::vector<std::optional<std::size_t>>(size())};
    tree.distances[source] = Weight(0);
    bool changed = true;
    // Without negative cycles a shortest path has fewer edges than there are vertices.
    for (std::size_t round = 0; changed; ++round) {
        if (round == size()) throw std::domain_error("the graph has a negative cycle");
        changed = false;
        for (const auto& edges : adjacency_)
            for (const auto& edge : edges) {
                if (!tree.distances[edge.from]) continue;
                const Weight candidate = *tree.distances[edge.from] + edge.weight;
                auto& known = tree.distances[edge.to];
                if (known && *known <= candidate) continue;
                known = candidate;
                tree.parents[edge.to] = edge.from;
                changed = true;
            }
    }
    return tree;
}

template <class Weight>
std::vector<Edge<Weight>> Graph<Weight>::spanning_forest() const {
    std::vector<Edge<Weight>> edges;
    for (const auto& own : adjacency_) edges.insert(edges.end(), own.begin(), own.end());
    std::stable_sort(edges.begin(), edges.end(), [](const Edge<Weight>& a, const Edge<Weight>& b) {
        return a.weight < b.weight;
    });
    UnionFind sets(size());
    edges.erase(
        std::remove_if(edges.begin(), edges.end(),
                       [&](const Edge<Weight>& edge) { return !sets.unite(edge.from, edge.to); }),
        edges.end());
    return edges;
}

template <class Weight>
std::vector<std::size_t> Graph<Weight>::topological_order() const {
    std::vector<std::size_t> entering(size()), order;
    for (const auto& edges : adjacency_)
        for (const auto& edge : edges) ++entering[edge.to];
    MinQueue<std::size_t> free;
    for (std::size_t vertex = 0; vertex < size(); ++vertex)
        if (entering[vertex] == 0) free.push(vertex);
    while (!free.empty()) {
        order.push_back(free.top());
        free.pop();
        for (const auto& edge : adjacency_[order.back()])
            if (--entering[edge.to] == 0) free.push(edge.to);
    }
    if (order.size() != size()) throw std::domain_error("the graph has a cycle");
    return order;
}

#define WARMDEMO_INSTANTIATE(Weight)  \
    template struct PathTree<Weight>; \
    template class Graph<Weight>;

WARMDEMO_INSTANTIATE(float)
WARMDEMO_INSTANTIATE(double)
WARMDEMO_INSTANTIATE(long double)
WARMDEMO_INSTANTIATE(std::int32_t)
WARMDEMO_INSTANTIATE(std::int64_t)

}  // namespace warmdemo
