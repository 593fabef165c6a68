"""Services from Backstage and CODEOWNERS: what fits is taken, what does not is named, and nothing else is guessed."""

from __future__ import annotations

import pytest

from incident_ops.errors import UserError
from incident_ops.records.policy import load_services
from incident_ops.records.service_sources import FoundServices, services_in, with_services

CATALOGUE = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: auth
  description: Sign-in and sessions
spec:
  owner: group:default/identity
  dependsOn: [component:default/db, API:ledger, resource:default/redis, component:elsewhere]
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: db, tags: [sql]}
spec: {owner: user:alice}
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: ledger}
spec: {owner: finance/team}
---
kind: Group
metadata: {name: identity}
---
kind: Component
metadata: {name: nobody}
spec: {type: service}
---
kind: Component
metadata: {name: auth}
spec: {owner: x}
---
kind: Component
metadata: {name: "../etc"}
spec: {owner: x}
"""


def backstage(text: str, *known: str) -> FoundServices:
    """The services of a catalog-info.yaml."""
    return services_in(text.encode(), "catalog-info.yaml", known)


def owners(text: str, *known: str) -> FoundServices:
    """The services of a CODEOWNERS file."""
    return services_in(text.encode(), ".github/CODEOWNERS", known)


def test_components_systems_and_apis_become_services() -> None:
    found = backstage(CATALOGUE)
    assert found.entries == {
        "auth": {"owner": "identity", "depends_on": ["db", "ledger"]},
        "db": {"owner": "alice"},
        "ledger": {"owner": "team"},
    }
    assert found.remarks == {"auth": "Sign-in and sessions"}


def test_what_has_no_place_is_named_with_its_line() -> None:
    assert backstage(CATALOGUE).left_out == [
        "line 20: Group is not a Component, System or API",
        "line 27: auth is in this file already",
        "line 31: ../etc cannot be the name of a service",
        "line 1: of auth: dependsOn resource:default/redis, dependsOn component:elsewhere",
        "line 10: of db: metadata.tags",
        "line 23: nobody has no owner that can be read, and a service needs one",
        "owners by their names in the catalogue, not on GitHub: identity, alice, team",
    ]


def test_a_service_that_is_there_already_stays() -> None:
    found = backstage(CATALOGUE, "auth")
    assert "auth" not in found.entries
    assert "line 1: auth is in services.yaml already" in found.left_out
    text = "# ours\nservices:\n  auth: {owner: '@us'} # kept\nteams: {}\n"
    made = with_services(text, found, "services.yaml")
    new = "  db:\n    owner: alice\n  ledger:\n    owner: team\n"
    assert made == text.replace("teams:", f"{new}teams:")


def test_a_description_becomes_a_remark_that_can_do_no_harm() -> None:
    text = CATALOGUE.replace("Sign-in and sessions", '"one\\n  evil: {owner: x}\\u202e"')
    made = with_services("services: {}\n", backstage(text), "services.yaml")
    assert "  # one evil: {owner: x}\n  auth:\n" in made
    assert set(load_services(made).services or ()) == {"auth", "db", "ledger"}


@pytest.mark.parametrize("text", ["a: [", "", "\x00", "kind: *x"])
def test_a_file_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        backstage(text)


@pytest.mark.parametrize(
    "text", ["- a\n", "kind: [Component]\n", "kind: Component\nmetadata: x\n", "kind: API\nmetadata: {name: 1}\n"]
)
def test_documents_of_another_shape_are_named(text: str) -> None:
    found = backstage(text)
    assert found.entries == {}
    assert len(found.left_out) == 1


CODEOWNERS = """\
# comment
*                   @acme/all
/services/auth/     @acme/identity  # sign-in
/services/web/**    @acme/web @bob
/libs/auth          @acme/identity
/other/auth/        @acme/else
/docs/README.md     @acme/docs
*.js                @acme/web
/quiet/
/mail/              mail@example.com
/services/api/*     @acme/api
"""


def test_folders_with_an_owner_become_services() -> None:
    found = owners(CODEOWNERS, "api")
    assert found.entries == {
        "auth": {"owner": "@acme/identity", "paths": ["services/auth/**", "libs/auth/**"]},
        "web": {"owner": "@acme/web", "paths": ["services/web/**"]},
    }
    assert found.left_out == [
        "line 2: *: it is not a single folder",
        "line 4: /services/web/**: web has one owner, @acme/web; also named: @bob",
        "line 6: /other/auth/: another line gives auth to @acme/identity",
        "line 7: /docs/README.md: its last part cannot be the name of a service",
        "line 8: *.js: it is not a single folder",
        "line 9: /quiet/: nobody on GitHub owns it",
        "line 10: /mail/: nobody on GitHub owns it",
        "line 11: /services/api/*: api is in services.yaml already",
    ]
    assert not load_services(with_services("services: {}\n", found, "services.yaml")).findings
