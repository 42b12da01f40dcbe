"""What is done to agents: made, given keys, suspended, resumed."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from approvals import services
from approvals.errors import ApprovalError
from approvals.forms.agents import AgentForm, KeyForm
from approvals.models import Agent
from audit import actors
from audit.admin.acting import Act, ReasonForm, act_page

FAILURES = (ApprovalError,)


def require(request: HttpRequest, permission: str) -> None:
    """Refuse a person without this permission."""
    if not request.user.has_perm(permission):
        raise PermissionDenied


def create(admin: Any, request: HttpRequest) -> HttpResponse:
    """Make an agent."""
    require(request, "approvals.add_agent")
    act = Act(title="Create an agent", button="Create the agent", back_url=admin.url("changelist"))

    def perform(data: dict[str, Any]) -> HttpResponse:
        agent = services.create_agent(
            name=data["name"],
            owner_id=data["owner"].pk,
            description=data["description"],
            by=actors.person(request.user),
        )
        messages.success(request, f"{agent.name} exists. It needs a key to propose anything.")
        return HttpResponseRedirect(admin.url("change", agent.pk))

    return _act(admin, request, act, AgentForm, perform)


def issue(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Issue a key, and show its secret in this one answer."""
    require(request, "approvals.add_agentkey")
    agent = admin.viewable(request, object_id)
    act = Act(
        title=f"Issue a key for {agent.name}",
        consequences=["The secret is shown once, on the next page, and stored nowhere."],
        button="Issue the key",
        back_url=admin.url("change", agent.pk),
    )

    def perform(data: dict[str, Any]) -> HttpResponse:
        issued = services.issue_key(
            agent_id=agent.pk,
            actions=data["actions"],
            owner_id=data["owner"].pk,
            currencies=data["currencies"],
            ceiling_minor=data["ceiling_minor"],
            expires_at=data["expires_at"],
            by=actors.person(request.user),
        )
        return _show_once(admin, request, agent, issued)

    return _act(admin, request, act, KeyForm, perform, initial={"owner": agent.owner_id})


def suspend(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Suspend an agent."""
    agent = _steerable(admin, request, object_id)
    act = Act(
        title=f"Suspend {agent.name}",
        consequences=[
            "Its keys are refused at once, its waiting requests cannot be approved, and what "
            "is queued for it is held."
        ],
        button="Suspend the agent",
        danger=True,
        back_url=admin.url("change", agent.pk),
    )

    def perform(data: dict[str, Any]) -> HttpResponse:
        services.suspend_agent(
            agent_id=agent.pk, reason=data["reason"], by=actors.person(request.user)
        )
        return _done(admin, request, agent, f"{agent.name} is suspended.")

    return _act(admin, request, act, ReasonForm, perform)


def resume(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Let a suspended agent go on."""
    agent = _steerable(admin, request, object_id)
    act = Act(
        title=f"Resume {agent.name}",
        consequences=[
            "Its keys work again, and what its suspension held is queued again. Other holds on it "
            "stay until they are lifted."
        ],
        button="Resume the agent",
        back_url=admin.url("change", agent.pk),
    )

    def perform(data: dict[str, Any]) -> HttpResponse:
        services.resume_agent(
            agent_id=agent.pk, reason=data["reason"], by=actors.person(request.user)
        )
        return _done(admin, request, agent, f"{agent.name} may propose again.")

    return _act(admin, request, act, ReasonForm, perform)


def _steerable(admin: Any, request: HttpRequest, object_id: str) -> Any:
    require(request, "approvals.steer_agent")
    return admin.viewable(request, object_id)


def _act(
    admin: Any, request: HttpRequest, act: Act, form_class: Any, perform: Any, initial: Any = None
) -> HttpResponse:
    return act_page(
        request,
        admin.admin_site,
        act=act,
        form_class=form_class,
        perform=perform,
        failures=FAILURES,
        initial=initial,
    )


def _done(admin: Any, request: HttpRequest, agent: Agent, text: str) -> HttpResponse:
    messages.success(request, text)
    return HttpResponseRedirect(admin.url("change", agent.pk))


def _show_once(
    admin: Any, request: HttpRequest, agent: Agent, issued: services.IssuedKey
) -> HttpResponse:
    """Show the secret in this answer alone: no message, no session, no cache keeps it."""
    context = {
        **admin.admin_site.each_context(request),
        "title": f"The new key of {agent.name}",
        "agent": agent,
        "key": issued.key,
        "secret": issued.secret,
        "back_url": admin.url("change", agent.pk),
        "back_text": agent.name,
    }
    response = render(request, "approvals/key_issued.html", context)
    response["Cache-Control"] = "no-store, private"
    return response
