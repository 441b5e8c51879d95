import asyncio
def test_a():
    async def f(): return 1
    assert asyncio.run(f())==1
