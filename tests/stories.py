"""Tests that are coroutine functions."""

from __future__ import annotations

import asyncio
from inspect import Parameter, signature


def story(function):
    """A coroutine function as a test; its parameters are fixtures."""
    return within(None)(function)


def within(setting, gives=1):
    """The decorator for tests that run in a setting: an async context manager over fixtures, named by its parameters.

    A test gets what the setting yields as its first parameters, of which there are `gives` (several: a tuple is
    yielded), and then fixtures of its own.
    """
    asked = [] if setting is None else list(signature(setting).parameters)
    gives = 0 if setting is None else gives

    def decorated(function):
        own = list(signature(function).parameters)[gives:]

        async def run(fixtures):
            mine = {name: fixtures[name] for name in own}
            if setting is None:
                await function(**mine)
                return
            async with setting(**{name: fixtures[name] for name in asked}) as given:
                await function(*(given if gives > 1 else (given,)), **mine)

        def test(**fixtures):
            asyncio.run(run(fixtures))

        test.__name__, test.__doc__ = function.__name__, function.__doc__
        names = dict.fromkeys([*asked, *own])
        test.__signature__ = signature(test).replace(
            parameters=[Parameter(each, Parameter.KEYWORD_ONLY) for each in names]
        )
        return test

    return decorated
