"""Whoever returns from undoing ends the process, so all must be undone by then."""

from __future__ import annotations

import threading

from tasks.disk.leftovers import undo_all, undone_if_cut_short


def test_what_another_thread_undoes_is_waited_for() -> None:
    begun, may_end, done = threading.Event(), threading.Event(), []

    def slowly() -> None:
        begun.set()
        assert may_end.wait(60)
        done.append("slow")

    with undone_if_cut_short(slowly):
        first, second = threading.Thread(target=undo_all), threading.Thread(target=undo_all)
        first.start()
        assert begun.wait(60)
        second.start()
        second.join(0.2)
        assert second.is_alive()
        may_end.set()
        for thread in (first, second):
            thread.join(60)
    assert done == ["slow"]


def test_the_newest_is_undone_first_and_one_that_fails_stops_no_other() -> None:
    done: list[str] = []
    with (
        undone_if_cut_short(lambda: done.append("old")),
        undone_if_cut_short(lambda: done.append(str(1 / 0))),
        undone_if_cut_short(lambda: done.append("new")),
    ):
        undo_all()
    assert done == ["new", "old"]
