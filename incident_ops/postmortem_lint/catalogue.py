"""Every rule of `postmortem lint`: what it asks for, why, how to say it instead, and the literature it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from incident_ops.findings import Level
from incident_ops.resources import SITE

LANGUAGE, STRUCTURE, COMPLETENESS = "Language", "Structure", "Completeness"


class LintRule(NamedTuple):
    """A rule. `reason` goes on after `this`; `rewording` is a question or a pattern; `sources` are keys of SOURCES.

    `before` and `after` are an example, "" where none is needed.
    """

    id: str
    group: str
    reason: str
    why: str
    rewording: str
    sources: tuple[str, ...]
    before: str = ""
    after: str = ""
    level: Level = Level.WARNING

    @property
    def reference(self) -> str:
        """Where it is explained."""
        return f"{SITE}postmortem-lint/#{self.id}"


SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "dekker": "Sidney Dekker, *The Field Guide to Understanding 'Human Error'*, 3rd edition, CRC Press, 2014.",
        "woods": "David Woods, Sidney Dekker, Richard Cook, Leila Johannesen, Nadine Sarter, *Behind Human Error*, "
        "2nd edition, Ashgate, 2010.",
        "cook": "Richard Cook, [*How Complex Systems Fail*](https://how.complexsystems.fail/), 1998.",
        "reason": "James Reason, *Human error: models and management*, BMJ 320, 2000, pages 768-770.",
        "fischhoff": "Baruch Fischhoff, *Hindsight is not equal to foresight*, Journal of Experimental Psychology: "
        "Human Perception and Performance 1, 1975, pages 288-299.",
        "allspaw": "John Allspaw, [*Blameless PostMortems and a Just "
        "Culture*](https://www.etsy.com/codeascraft/blameless-postmortems), Etsy, 2012.",
        "etsy": "John Allspaw, Morgan Evans, Daniel Schauenberg, *Debriefing Facilitation Guide*, Etsy, 2016.",
        "sre": "John Lunney, Sue Lueder, [*Postmortem Culture: Learning from "
        "Failure*](https://sre.google/sre-book/postmortem-culture/), in: Site Reliability "
        "Engineering, O'Reilly, "
        "2016.",
        "workbook": "Daniel Rogers and others, [*Postmortem Culture: Learning from "
        "Failure*](https://sre.google/workbook/postmortem-culture/), in: The Site Reliability "
        "Workbook, O'Reilly, "
        "2018.",
        "items": "John Lunney, Sue Lueder, Betsy Beyer, *Postmortem Action Items: Plan the Work and Work the "
        "Plan*, ;login: 42, 2017.",
        "pagerduty": "PagerDuty, [*Postmortems*](https://postmortems.pagerduty.com/), 2019.",
        "howie": "Jeli, [*Howie: The Post-Incident Guide*](https://www.jeli.io/howie), 2021.",
        "rca2": "National Patient Safety Foundation, *RCA2: Improving Root Cause Analyses and Actions to Prevent "
        "Harm*, 2015: the five rules of causation, and the action hierarchy.",
        "card": "Alan Card, *The problem with '5 whys'*, BMJ Quality & Safety 26, 2017, pages 671-677.",
    }
)

_RULES = (
    LintRule(
        "blame",
        LANGUAGE,
        "makes a person or a group the cause",
        "Who acted is where the questions begin: the same act by somebody else, in the same place, "
        "would have "
        "ended in the same way. An account that ends at a name teaches nothing, and the next one "
        "will say less.",
        "what let this act have this effect, and what did it look like from there? Say the act and "
        "the condition: "
        "'a change reached every host at once, because ...'",
        ("allspaw", "sre", "reason"),
        "The outage was caused by Marek, who pushed to production.",
        "A change reached every production host at once, because the repository has no staged rollout.",
    ),
    LintRule(
        "human-error",
        LANGUAGE,
        "gives human error as an explanation",
        "'Human error' is the name of what has to be explained. It is found once the search is "
        "given up, and it "
        "leaves the tool that took the input as it is.",
        "what did the tool, the display or the procedure make likely, and what stood between this "
        "input and its "
        "effect?",
        ("dekker", "woods", "rca2"),
        "The bucket was deleted through operator error.",
        "The bucket was deleted by a cleanup command whose filter matched its prefix; the command has no dry run.",
    ),
    LintRule(
        "negligence",
        LANGUAGE,
        "measures people against a duty instead of saying what happened",
        "'Failed to', 'forgot', 'ignored' and 'careless' say what people did not do, by a standard "
        "set afterwards. "
        "What they did, and what they had in front of them, is missing.",
        "what did they do, what did they see, and what relied on their memory? Name the condition: "
        "'the policy "
        "says nothing of ...', 'the page does not show ...'",
        ("dekker", "rca2", "howie"),
        "The night shift failed to escalate the growing queue.",
        "The queue stayed with the night shift for 50 minutes; the escalation policy says nothing of queue length.",
    ),
    LintRule(
        "judgement",
        LANGUAGE,
        "grades people or their decisions",
        "A decision is called bad because of how it ended. With what was known then it made sense "
        "to whoever took "
        "it, and that sense is what the next person will share.",
        "what was known at that time, which ways were open, and why did this one make sense?",
        ("dekker", "allspaw", "pagerduty"),
        "Rolling forward was a poor decision by the release engineer.",
        "The release engineer rolled forward: the last three rollbacks had taken over 30 minutes each.",
    ),
    LintRule(
        "mind-reading",
        LANGUAGE,
        "states what people thought, felt or wanted, which nobody observed",
        "Attitudes are filled in by whoever writes. What can be known is what people did, what "
        "they saw, and what "
        "they say about it when asked.",
        "what was seen or said? Ask them, and write it as their own account: 'she said that ...'",
        ("howie", "etsy", "woods"),
        "The engineer evidently did not take the alert seriously.",
        "The alert was acknowledged and closed; it had fired 19 times that month and had cleared by itself each time.",
    ),
    LintRule(
        "punishment",
        LANGUAGE,
        "reports or announces a punishment",
        "Where accounts have consequences for their authors, accounts change. What a company does "
        "about people has "
        "its own place, and it is not the postmortem.",
        "leave it out; what changes in the system?",
        ("allspaw", "sre"),
        "The engineer received a written warning.",
        "Deletes in production now ask for a second person.",
    ),
    LintRule(
        "counterfactual",
        LANGUAGE,
        "tells of another course of events than the one that took place",
        "'Should have', 'could have' and 'if only' describe a world that did not exist. They "
        "explain nothing about "
        "the one in which the incident happened, and hide why it went the way it did.",
        "what happened instead, and why did that make sense at the time? If something is to "
        "change, make it an "
        "action item",
        ("dekker", "howie", "etsy"),
        "We could have avoided this if someone had read the release notes.",
        "The release notes announce the new default; the upgrade job shows only the version number.",
    ),
    LintRule(
        "hindsight",
        LANGUAGE,
        "judges by what is known only now",
        "Once the outcome is known it looks likely, and its signs look plain. At the time they were some among many.",
        "what was on screen at the time, among what else, and which threshold or alert spoke of it?",
        ("fischhoff", "dekker", "pagerduty"),
        "It was obvious from the graph that the volume would be full by Saturday.",
        "On Friday the graph stood at 81 %, below the alert's threshold of 90 %; growth doubled on Saturday.",
    ),
    LintRule(
        "passive-voice",
        LANGUAGE,
        "hides behind a passive what happened",
        "Blameless is not vague. 'Mistakes were made' accuses without a name and says neither what "
        "was done nor "
        "what made it possible.",
        "what exactly, between whom, through which channel, and what made it possible?",
        ("etsy", "rca2", "workbook"),
        "Unfortunately, the change was not communicated.",
        "The change was announced in the platform channel, which the two teams that use the queue are not in.",
    ),
    LintRule(
        "training-fix",
        LANGUAGE,
        "proposes to teach or remind people as the remedy",
        "Training and reminders are the weakest of remedies: they wear off, people change, and the condition stays.",
        "what change to the system makes this harder to do or easier to notice? Training may go with it",
        ("rca2", "items"),
        "We will hold a workshop on resource limits.",
        "An admission policy rejects pods without a memory limit; the next workshop shows how to read its message.",
    ),
    LintRule(
        "careful-fix",
        LANGUAGE,
        "asks people to take care",
        "Care is not a control: nobody can check whether it was taken, and those involved took care the first time.",
        "which check, limit or confirmation would work on a day when nobody is careful?",
        ("rca2", "reason", "items"),
        "We will be more careful with scripts in production.",
        "Scripts run in dry-run mode unless a second person confirms the printed plan.",
    ),
    LintRule(
        "whys-end-in-person",
        STRUCTURE,
        "chain of whys ends in a person, a group or a trait of theirs",
        "A chain of whys stops where whoever asks is content. One that stops at people has stopped early.",
        "ask once more: what made this likely for anybody in that place?",
        ("card", "dekker", "reason"),
        "because: The engineer was inexperienced.",
        "because: The console shows production and staging with the same prompt.",
    ),
    LintRule(
        "cause-trigger-only",
        STRUCTURE,
        "cause names what set it off, and no condition that let it do harm",
        "A trigger comes every day; that this one did harm rests on conditions that were there before it.",
        "say in `why` or `contributing` what let this trigger have this effect",
        ("cook", "sre", "rca2"),
        "cause: {trigger: Node replacement at 09:14}",
        "cause: {trigger: Node replacement at 09:14, why: All pods of the webhook were on one node}",
    ),
    LintRule(
        "no-went-well",
        STRUCTURE,
        "postmortem says nothing of what went well",
        "What limited the damage is worth knowing and keeping; systems work most of the time because of it.",
        "what shortened the incident, or kept it from growing?",
        ("sre", "howie", "cook"),
    ),
    LintRule(
        "action-vague",
        STRUCTURE,
        "action item has no end that can be checked",
        "'Improve' and 'look into' are never done. An item that can be closed says what will be there.",
        "what will be there when it is done, and how will somebody else see that? (`acceptance`)",
        ("items", "workbook"),
        "Make deployments more robust",
        "The pipeline stops when the error rate in staging is above 1 %",
    ),
    LintRule(
        "action-training-only",
        STRUCTURE,
        "postmortem's action items only teach, remind or ask for care",
        "Then the system stays as it was, and so do the conditions of the incident.",
        "add one that changes the system: a default, a limit, a check, an alert",
        ("rca2", "items"),
    ),
    LintRule(
        "action-owner",
        STRUCTURE,
        "action item has no owner",
        "What belongs to nobody is not done.",
        "one person or team that answers for it",
        ("sre", "items", "pagerduty"),
    ),
    LintRule(
        "action-due",
        STRUCTURE,
        "action item has no day on which it is due",
        "What has no day is done after everything that has one.",
        "a date, or a priority that gives one by the policy",
        ("items", "pagerduty"),
    ),
    LintRule(
        "action-link",
        STRUCTURE,
        "action item shares no word with any cause, factor or event of this record",
        "An item that answers nothing found is either a good idea from elsewhere, or its reason is not written down.",
        "name in its description the cause or contributing factor it answers",
        ("workbook", "items"),
        level=Level.NOTE,
    ),
    LintRule(
        "part-severity",
        COMPLETENESS,
        "record has no severity or priority",
        "Readers weigh an incident by its level first.",
        "set one",
        ("sre", "pagerduty"),
    ),
    LintRule(
        "part-postmortem",
        COMPLETENESS,
        "record has no postmortem",
        "An incident without one is paid for and not used.",
        "begin with a draft: summary, what went well, what went poorly, lessons",
        ("sre", "pagerduty"),
    ),
    LintRule(
        "part-summary",
        COMPLETENESS,
        "postmortem has no summary",
        "Most readers read nothing else.",
        "two or three sentences: what happened, who noticed it and for how long, why, what changes",
        ("pagerduty", "workbook"),
    ),
    LintRule(
        "part-timeline",
        COMPLETENESS,
        "timeline is not complete",
        "The course of events is the evidence for everything else; it goes from the first sign to the end.",
        "add what is missing",
        ("pagerduty", "howie"),
    ),
    LintRule(
        "part-cause",
        COMPLETENESS,
        "cause is missing or unknown",
        "What is not understood cannot be changed; an honest 'not known, because' in `why` will do.",
        "what broke, and which conditions let it",
        ("sre", "cook"),
    ),
    LintRule(
        "part-impact",
        COMPLETENESS,
        "impact is not in figures",
        "Figures let readers compare incidents and decide what a remedy may cost.",
        "users, revenue, and the minutes of error budget used; 0 is a figure",
        ("workbook", "pagerduty"),
    ),
    LintRule(
        "part-went-poorly",
        COMPLETENESS,
        "postmortem says nothing of what went wrong in the response",
        "What made the response slow will do so again.",
        "what cost time, what was missing, what surprised you?",
        ("sre", "pagerduty"),
    ),
    LintRule(
        "part-lessons",
        COMPLETENESS,
        "postmortem has no lessons",
        "A lesson is what somebody who was not there can use.",
        "technical, about the process, about how you work together",
        ("sre", "howie"),
    ),
    LintRule(
        "part-actions",
        COMPLETENESS,
        "record has no action items",
        "Without them the conditions stay.",
        "at least one, or say in the conclusion why nothing is to be changed",
        ("sre", "items"),
    ),
    LintRule(
        "part-communication",
        COMPLETENESS,
        "record has no message to anybody",
        "Whom it was said to, when and what, belongs to the response.",
        "an update, or an entry of the timeline of kind communication",
        ("pagerduty",),
    ),
    LintRule(
        "part-runbook",
        COMPLETENESS,
        "record does not say whether the runbook was brought up to date",
        "The next person starts from the runbook.",
        "the day on which it was, or an action item of kind runbook",
        ("sre", "pagerduty"),
    ),
)

LINT_RULES: Mapping[str, LintRule] = MappingProxyType({rule.id: rule for rule in _RULES})
"""Rule by id, in the order of the page."""
