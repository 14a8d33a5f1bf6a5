from __future__ import annotations

import random

from headway.response_cache.semantic import PER_GROUP, SemanticIndex


def test_the_most_similar_of_a_group_is_found() -> None:
    index = SemanticIndex(100)
    index.add(b"g", [1.0, 0.0, 0.0], b"x", "call-x")
    index.add(b"g", [0.0, 1.0, 0.0], b"y", "call-y")
    index.add(b"other", [1.0, 0.1, 0.0], b"z", "call-z")
    found = index.find(b"g", [4.0, 3.0, 0.0], 0.5)
    assert found is not None
    assert (found.key, found.call_id) == (b"x", "call-x")
    assert abs(found.similarity - 0.8) < 1e-6
    assert index.find(b"g", [4.0, 3.0, 0.0], 0.81) is None
    assert index.find(b"none", [4.0, 3.0, 0.0], 0.0) is None


def test_a_vector_without_direction_or_of_another_length_is_like_none() -> None:
    index = SemanticIndex(100)
    index.add(b"g", [0.0, 0.0], b"x", "call-x")
    assert len(index) == 0
    index.add(b"g", [1.0, 0.0], b"x", "call-x")
    assert index.find(b"g", [0.0, 0.0], 0.0) is None
    assert index.find(b"g", [1.0, 0.0, 0.0], 0.0) is None
    index.add(b"g", [1.0, 0.0, 0.0], b"y", "call-y")
    found = index.find(b"g", [1.0, 0.0, 0.0], 0.9)
    assert found is not None
    assert found.key == b"y", "the model of the vectors was changed"
    assert len(index) == 1


def test_the_nearest_of_many_is_found() -> None:
    rng = random.Random(7)
    index = SemanticIndex(PER_GROUP)
    vectors = [[rng.gauss(0.0, 1.0) for _ in range(64)] for _ in range(500)]
    for at, vector in enumerate(vectors):
        index.add(b"g", vector, b"%d" % at, str(at))
    for at in range(0, 500, 25):
        near = [value + rng.gauss(0.0, 0.1) for value in vectors[at]]
        found = index.find(b"g", near, 0.9)
        assert found is not None
        assert found.key == b"%d" % at


def test_the_oldest_vectors_and_the_groups_of_longest_ago_are_forgotten() -> None:
    index = SemanticIndex(PER_GROUP + 1)
    for at in range(PER_GROUP + 1):
        index.add(b"g", [1.0, float(at)], b"%d" % at, str(at))
    assert len(index) == PER_GROUP
    first = index.find(b"g", [1.0, 0.0], 0.0)
    assert first is not None
    assert first.key == b"1"
    index.add(b"h", [1.0, 0.0], b"h", "h")
    assert len(index) == PER_GROUP + 1
    index.add(b"i", [1.0, 0.0], b"i", "i")
    assert index.find(b"g", [1.0, 0.0], 0.0) is None
    assert len(index) == 2


def test_the_similarity_of_two_vectors() -> None:
    similarity_of = SemanticIndex(1).similarity
    assert similarity_of([1.0, 0.0], [2.0, 0.0]) == 1.0
    assert similarity_of([1.0, 0.0], [0.0, 2.0]) == 0.0
    assert similarity_of([0.0, 0.0], [1.0, 0.0]) is None
    assert similarity_of([1.0, 0.0], [0.0, 0.0]) is None
    assert similarity_of([1.0], [1.0, 0.0]) is None
