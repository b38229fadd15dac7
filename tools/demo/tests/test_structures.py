"""Trees and graphs, against direct search and worked examples."""

import math

import pytest

import warmdemo


def test_kd_tree_agrees_with_a_direct_search() -> None:
    numbers = warmdemo.Random("xoshiro256", 3).uniform(900)
    points = list(zip(numbers[::3], numbers[1::3], numbers[2::3]))
    # Twins: equal distances have to come in the order of the indices.
    points += points[:20]
    tree = warmdemo.KdTree3D(points)
    assert len(tree) == len(points)
    for query in [*points[:10], (0.5, 0.5, 0.5), (-1, 2, 0)]:
        distances = [math.dist(query, point) for point in points]
        order = sorted(range(len(points)), key=lambda i: (distances[i], i))
        assert [index for index, _ in tree.nearest(query, 5)] == order[:5]
        assert tree.nearest(query)[0][1] == pytest.approx(distances[order[0]])
        close = [i for i, distance in enumerate(distances) if distance <= 0.3]
        assert tree.within(query, 0.3) == close


def test_kd_tree_of_few_points() -> None:
    assert warmdemo.KdTree2D([]).nearest((0, 0), 3) == []
    tree = warmdemo.KdTree2D([(0, 0), (3, 4)])
    assert tree.nearest((0, 0), 9) == [(0, 0.0), (1, 5.0)]
    assert tree.within((0, 0), 5) == [0, 1]


def test_interval_tree() -> None:
    intervals = [(15.0, 20.0), (10.0, 30.0), (17.0, 19.0), (5.0, 8.0), (12.0, 15.0), (30.0, 40.0)]
    tree = warmdemo.IntervalTree(intervals)
    for low in range(0, 45):
        for high in range(low, 45, 3):
            expected = [i for i, (a, b) in enumerate(intervals) if a <= high and low <= b]
            assert tree.overlapping(low, high) == expected
    assert tree.merged() == [(5, 8), (10, 40)]
    assert tree.depth() == 3
    with pytest.raises(ValueError, match="before it begins"):
        warmdemo.IntervalTree([(2, 1)])


def example_graph() -> warmdemo.Graph:
    graph = warmdemo.Graph(7)
    edges = [(0, 1, 7), (0, 2, 9), (0, 5, 14), (1, 2, 10), (1, 3, 15), (2, 3, 11), (2, 5, 2)]
    for edge in [*edges, (3, 4, 6), (5, 4, 9)]:
        graph.add_edge(*edge)
    return graph


def test_shortest_paths() -> None:
    graph = example_graph()
    for tree in (graph.dijkstra(0), graph.bellman_ford(0)):
        assert tree.distances == [0, 7, 9, 20, 20, 11, None]
        assert tree.path_to(4) == [0, 2, 5, 4]
        assert tree.path_to(6) == []
    with pytest.raises(IndexError):
        graph.dijkstra(7)


def test_negative_weights() -> None:
    graph = warmdemo.Graph(3)
    graph.add_edge(0, 1, 4)
    graph.add_edge(0, 2, 2)
    graph.add_edge(1, 2, -3)
    assert graph.bellman_ford(0).distances == [0, 4, 1]
    with pytest.raises(ValueError, match="negative"):
        graph.dijkstra(0)
    graph.add_edge(2, 0, -2)
    with pytest.raises(ValueError, match="cycle"):
        graph.bellman_ford(0)


def test_spanning_forest() -> None:
    forest = example_graph().spanning_forest()
    assert forest == [(2, 5, 2), (3, 4, 6), (0, 1, 7), (0, 2, 9), (5, 4, 9)]


def test_topological_order() -> None:
    graph = example_graph()
    assert graph.topological_order() == [0, 1, 2, 3, 5, 4, 6]
    graph.add_edge(4, 0)
    with pytest.raises(ValueError, match="cycle"):
        graph.topological_order()
