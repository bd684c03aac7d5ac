"""A service that takes up its files without a restart: what is to be done is called so at every step."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from shlex import join

from screens.apply import ApplyScreen
from screens.dialogs import Confirm
from screens.journey import Journey
from screens.review import ReviewScreen
from screens.widgets.rows import Rows
from tests.screens import samples
from tests.screens.stage import LARGE, opened, settled, text
from tests.targets.nginx_plans import NAME, Setup
from wizard import answers, preview, transaction
from wizard.targets import catalogue
from wizard.world import World

SERVER = f"    server {{ listen 127.0.0.1:@plain@; server_name {NAME}; location / {{ return 200 ok; }} }}"


async def test_nginx_is_reloaded_after_an_undo_too(tmp_path: Path) -> None:
    setup = Setup(tmp_path, "debian", SERVER)
    box = setup.box
    world = World(box.host, box.state, (catalogue.NGINX,), samples.WHO, partial(answers.keep, box.state))
    with setup.running():
        plan = setup.plan(redirect=False)
        assert plan.restart is not None
        for check in plan.validations:
            assert join(check.arguments) in preview.text(plan)
        transaction.apply(plan, box.state)
        assert "-g 'daemon off;' -s reload" in (command := join(plan.restart.arguments))
        async with opened(world, size=LARGE, journey=Journey()) as pilot:
            await pilot.press("h", "enter")
            await settled(pilot)
            assert isinstance(pilot.app.screen, ReviewScreen)
            await pilot.press("end")
            assert "until you reload nginx" in text(pilot)
            assert command in pilot.app.screen.query_one(Rows).plain, "it is said before"
            await pilot.press("enter")
            await pilot.click("#yes")
            await settled(pilot)
            assert isinstance(pilot.app.screen, ApplyScreen)
            assert command in pilot.app.screen.query_one(Rows).plain, "and afterwards"
            assert "S reload" in text(pilot)
            assert "restart" not in text(pilot).splitlines()[-1]
            await pilot.press("s")
            assert isinstance(pilot.app.screen, Confirm)
            assert pilot.app.screen.question == f"Reload nginx now?\n{command}"
            await pilot.click("#yes")
            await settled(pilot)
            assert "Done: reload nginx." in text(pilot)
