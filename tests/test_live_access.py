"""Who may speak to the server."""

import live_serving


def test_a_token_is_wanted_once_and_then_carried_by_a_cookie():
    async def work(client, living):
        assert "token" in await live_serving.error_of(await client.get("/"), 401)
        assert "token" in await live_serving.error_of(
            await client.get("/?token=wrong"), 401
        )
        assert (await client.get("/health")).status == 200
        bearer = {"Authorization": "Bearer secret"}
        assert (await client.get("/metrics", headers=bearer)).status == 200
        assert (await client.get("/page.js")).status == 401
        assert (await client.get("/?token=secret")).status == 200
        assert (await client.get("/page.js")).status == 200

    live_serving.serving(work, token="secret")


def test_other_sites_pages_and_names_that_point_here_are_refused():
    async def work(client, living):
        response = await client.post("/offer", headers={"Origin": "http://evil.test"})
        assert "another site" in await live_serving.error_of(response, 400)
        response = await client.get("/", headers={"Host": "evil.test"})
        assert "localhost alone" in await live_serving.error_of(response, 400)

    live_serving.serving(work)


def test_all_paths_lie_under_the_prefix():
    async def work(client, living):
        assert (await client.get("/face/health")).status == 200
        assert (await client.get("/health")).status == 404

    live_serving.serving(work, prefix="/face")
