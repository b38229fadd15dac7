#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace warmdemo {

template <class Weight>
struct Edge {
    std::size_t from;
    std::size_t to;
    Weight weight;
};

/// What can be reached from one vertex: how far it is, and from where it is entered.
template <class Weight>
struct PathTree {
    std::vector<std::optional<Weight>> distances;
    std::vector<std::optional<std::size_t>> parents;

    /// The vertices on the way to the target; empty if it cannot be reached.
    std::vector<std::size_t> path_to(std::size_t target) const;
};

/// A directed graph with weighted edges.
template <class Weight>
class Graph {
public:
    explicit Graph(std::size_t vertex_count) : adjacency_(vertex_count) {}

    std::size_t size() const noexcept { return adjacency_.size(); }
    void add_edge(std::size_t from, std::size_t to, Weight weight);

    /// Dijkstra's algorithm; std::domain_error on a negative weight.
    PathTree<Weight> dijkstra(std::size_t source) const;

    /// Bellman's and Ford's algorithm; std::domain_error if a negative cycle is in reach.
    PathTree<Weight> bellman_ford(std::size_t source) const;

    /// Kruskal's minimum spanning forest; the direction of edges is ignored.
    std::vector<Edge<Weight>> spanning_forest() const;

    /// std::domain_error if the graph has a cycle. The smallest vertex that is free comes first.
    std::vector<std::size_t> topological_order() const;

private:
    void require_vertex(std::size_t vertex) const;

    std::vector<std::vector<Edge<Weight>>> adjacency_;
};

}  // namespace warmdemo
