"""The words the rules of language rest on: people, what binds a clause, and verbs of duty, fault and attitude."""

from __future__ import annotations


def word_set(words: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(words.split())


_DOUBLED = word_set(
    """
    skip omit stop admit commit plan drop slip let
    """
)
_IRREGULAR = {
    "break": "broke broken",
    "bring": "brought",
    "catch": "caught",
    "do": "did done",
    "find": "found",
    "forget": "forgot forgotten forgetting",
    "get": "got gotten",
    "give": "gave given",
    "hear": "heard",
    "hide": "hid hidden",
    "know": "knew known",
    "leave": "left",
    "let": "letting",
    "make": "made",
    "misread": "misread",
    "misunderstand": "misunderstood",
    "overlook": "overlooked",
    "read": "read",
    "run": "ran running",
    "say": "said",
    "see": "saw seen",
    "show": "showed shown",
    "speak": "spoke spoken",
    "take": "took taken",
    "tell": "told",
    "think": "thought",
    "understand": "understood",
    "withhold": "withheld",
    "write": "wrote written",
}


def forms(verbs: str) -> frozenset[str]:
    """Every form of these verbs: `check`, `checks`, `checked`, `checking`."""
    found: set[str] = set()
    for verb in verbs.split():
        found |= {verb, *past_forms(verb), _third(verb), _stem(verb) + "ing"}
    return frozenset(found)


def past(verbs: str) -> frozenset[str]:
    """Past and participle of these verbs: `checked`."""
    return frozenset(form for verb in verbs.split() for form in past_forms(verb))


def past_forms(verb: str) -> list[str]:
    """Past and participle of one verb."""
    if verb in _IRREGULAR:
        return [form for form in _IRREGULAR[verb].split() if not form.endswith("ing")] or [verb]
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return [verb[:-1] + "ied"]
    return [_stem(verb) + "ed"]


def _third(verb: str) -> str:
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + ("es" if verb.endswith(("s", "sh", "ch", "x", "o")) else "s")


def _stem(verb: str) -> str:
    if verb.endswith("e") and not verb.endswith("ee"):
        return verb[:-1]
    return verb + verb[-1] if verb in _DOUBLED else verb


def _with_plurals(words: str) -> frozenset[str]:
    found = set()
    for word in words.split():
        plural = word[:-1] + "ies" if word.endswith("y") and word[-2] not in "aeiou" else word + "s"
        found |= {word, plural}
    return frozenset(found)


PEOPLE = _with_plurals(
    """administrator admin analyst apprentice approver architect buyer cashier clerk coder colleague commander
    committer consultant contractor coworker co-worker customer dba deployer designer developer director employee
    engineer executive expert freelancer guy human individual intern maintainer newcomer on-call oncall patient person
    accountant bookkeeper copywriter electrician journalist marketer nurse pharmacist photographer recruiter teacher
    programmer reviewer seller specialist sre student subcontractor supplier sysadmin teammate technician tester trainee
    vendor veteran volunteer team squad crew shift department guild tribe committee stakeholder"""
) | word_set(
    """
    people persons staff personnel men women dev devs qa somebody someone nobody no-one anyone anybody everyone
    everybody folks workforce he she who whoever i you juniors seniors responders techs ceo cto cio ciso
    """
)
"""Nouns and pronouns that mean people whatever stands around them."""

MOSTLY_PEOPLE = _with_plurals(
    "manager lead author owner group officer responder assistant hire lieutenant desk secretary management leadership"
)
"""Nouns that mean people unless one of MACHINE_WORDS stands before them."""

MACHINE_WORDS = word_set(
    """
    cert certificate package session window memory secret secrets connection transaction task file queue
    configuration config cluster lock resource cache volume device boot system state key storage service load
    password traffic consumer security log node target scaling availability user process placement instance
    replication thread control subnet capture parameter ocsp dns dhcp http tcp tech-data object heap schema table
    bucket namespace controller worker power disk bean entity
    """
)

PERHAPS_PEOPLE = _with_plurals(
    "operator agent user provider party member peer coordinator dispatcher supervisor leader "
    "editor publisher moderator "
    "caller head operation "
    "support ops partner merchant line engineering"
)
"""Nouns that mean people behind one of PEOPLES_WORDS, or with what only people do."""

PEOPLES_WORDS = word_set(
    """
    release product project account line shift duty night day morning evening weekend on-call call support customer
    service-desk help front-desk human senior junior outgoing incoming former communications incident delivery
    program programme department technical tech people second-line first-line third-line second-level first-level
    experienced inexperienced young marketing sales finance legal hr quality qa compliance call-centre call-center
    content web copy news catalogue shop store warehouse field office
    scrum hiring escalation on-duty careless tired first newest new-found team staff crew group hosting it-support
    engineering
    """
)
"""What stands before such a noun where it means a person: `release operator`, `support agent`, `team member`."""

FIRST_NAMES = word_set(
    """
    aaron abdul adam adrian agnes ahmed aisha akira alan albert alejandro aleksandr alex alexander alexandra alexei
    alfred ali alice alicia alina amanda amina amir amy ana anand andre andrea andreas andrei andrew andy angela
    anil anita anja ann anna anne anthony antoine antonio anton arjun arthur asha astrid axel barbara beata ben
    benjamin bernd beth bianca bill bjorn bob boris brandon brian bruno camila carla carlos carmen carol caroline
    catherine cecilia chandra charles charlie charlotte chen chloe chris christian christina christine christopher
    claire clara claudia colin connor craig cristina dan daniel daniela darius dave david deborah deepak denis
    dennis derek devon diana diego dieter dimitri dinesh dmitri dominik dorota doris douglas dylan edgar eduardo
    edward elena eleni elif elizabeth ella ellen emil emily emma enrique eric erik erika ernst esther ethan eva evan
    ewa fabian farah fatima felix fernando filip fiona florian francesca francesco francis francois frank franz fred
    frederik gabriel george georg gerald gerard gina giovanni giulia goran grzegorz graham greg gregor gunther
    gustav hana hannah hans harald harry hassan heather heidi heinz helen helena helga henrik henry hiroshi holger
    hugo hussein ian ibrahim igor ilse ingrid irina isabel ivan ivana jack jacob jacques jakob jakub james
    jamie jan jana jane janine javier jean jeff jennifer jens jeremy jessica jim jin joan joanna joao joe joel joerg
    johan johann johannes john johnny jon jonas jonathan jorge jose josef joseph joshua juan judith jules julian
    julie julien jun jürgen jurgen justin kai karen karim karin karl karol kate katharina katherine kathrin katja
    kavita keith kelly ken kenji kevin khalid kim klaus konrad kristin kristina krzysztof kumar kyle lars laszlo
    laura lauren lea leah lena leo leon leonardo leila li liam lin linda lisa liu lorenzo louis luca lucas lucia
    lucy luigi luis luisa lukas lukasz luke lydia maciej magda maja malik manfred manuel marc marcel marcin marco
    marek margaret maria marie marina mario marion mark markus marta martha martin martina mary mateusz matt matthew
    matthias maurice max maya mehdi mehmet mei melanie michael michal michel miguel mika mike milan mira miriam
    mohamed mohammed mohammad mona monica monika morgan murat mustafa nadia nadine natalia natalie natasha nathan
    neil nick nicolas nicole niels nikita nikolai nils nina noah nora olaf oleg olga oliver olivia omar oscar otto
    pablo pamela paolo patricia patrick paul paula paulo pavel pawel pedro peter petra phil philip philipp pierre
    piotr prakash pranav preeti priya rachel radek rafael rahul raj rajesh ralf ramesh ravi rebecca rene ricardo
    richard rita robert roberto robin roger roland roman ron rosa ross roy rudolf russell ryan sabine sam samantha
    samir samuel sana sandra sanjay sara sarah satoshi scott sean sebastian selma serge sergei sergey sergio shane
    sharon shreya silvia simon simone sofia sonia sophia sophie stanislav stefan stefanie stella stephan stephanie
    stephen steve steven sunil susan susanne suresh sven svetlana sylvia takashi tamara tanja tanya tara tatiana ted
    teresa thomas thorsten tim timo timothy tina tobias todd tom tomas tomasz tomoko tony torsten ulrich ulrike umar
    ursula uwe valentina vanessa vera veronica viktor vikram vincent vinod vivian vladimir walter wang wei wendy
    werner wilhelm william wojciech wolfgang xavier yan yasmin yuki yuri yusuf yves yvonne zhang zoe zoltan zuzana
    """
)

PASTS = word_set(
    """
    ran made took broke brought caught chose did forgot found gave got had held kept knew left let lost meant met
    paid put read said saw sent set shut slept spent split stood thought threw told understood went withdrew wrote
    began became came drew drove fell felt flew grew hid hit led overrode overwrote undid dealt spoke misread
    """
)
"""Pasts without `ed`."""

BE = word_set(
    """
    is are was were be been being isn't aren't wasn't weren't
    """
)
HAVE = word_set(
    """
    has have had having hasn't haven't hadn't 've
    """
)
AUXILIARIES = (
    BE
    | HAVE
    | word_set(
        """
    do does did don't doesn't didn't will would shall should can could may might must ought won't wouldn't shouldn't
    can't cannot couldn't mustn't needn't not never to
    """
    )
)
NEGATIONS = word_set(
    """
    not no never nor neither without hardly nobody none n't cannot nothing
    """
)
ADVERBS = word_set(
    """
    also even just simply ever already really well only still then again once often always almost yet soon now too
    first later perhaps maybe somehow instead however therefore thus both all each themselves himself herself itself
    far much more very quite rather so outright at better
    """
)
DETERMINERS = word_set(
    """
    the a an this that these those our their his her its my your some any every each no another either neither both
    all several many most few one two three four five six which whose
    """
)
PREPOSITIONS = word_set(
    """
    of to for by from with at in on between about against via into onto under over through without within during per
    among behind inside outside across toward towards upon beside despite
    """
)
CONJUNCTIONS = frozenset(["and", "but", "or", "then", "nor"])
CLAUSE_STARTS = word_set(
    """
    because since as while when where after before until although though if unless whereas so that than which
    whether why how
    """
)
QUANTITIES = word_set(
    """
    one none some most several each both many few all any neither either two three four five part half rest
    """
)

DUTIES = (
    "check test verify validate confirm read follow escalate communicate notice think inform "
    "tell ask consult review "
    "document notify respond react acknowledge question realise realize understand consider "
    "bother care raise warn "
    "coordinate wait look listen learn remember heed obey comply announce report involve call "
    "examine inspect monitor "
    "watch plan prepare anticipate foresee recognise recognize investigate pay intervene speak "
    "share hand pass "
    "double-check challenge object appreciate grasp adhere spot"
)
"""What people are measured against."""

DUTY = frozenset(DUTIES.split())
DUTY_PAST = past(DUTIES)
ONLY_PEOPLE = word_set(
    """
    notice realise realize escalate communicate think inform tell ask consult understand consider bother care raise
    warn coordinate remember heed obey announce anticipate foresee appreciate grasp double-check comply speak
    involve spot adhere
    """
)
"""Of these, what no machine does."""

PEOPLES_THINGS = word_set(
    """
    runbook runbooks checklist checklists procedure procedures documentation instruction instructions guideline
    guidelines wiki playbook colleague colleagues handover shift chat phone
    """
)
"""What tells that an `operator` in the same sentence is a person."""

FOR_PEOPLE = word_set(
    """
    runbook runbooks checklist checklists procedure procedures process documentation docs instruction instructions
    guideline guidelines ticket tickets alert alerts graph graphs dashboard dashboards page pager colleague
    colleagues notes e-mail email wiki playbook policy
    """
)
"""What only people read, follow or miss."""

LEADS_ON = word_set(
    """
    need needs needed going supposed expected required asked reminded told urged able have has had promise promises
    promised vow vows want wants intend intends aim aims try tries plan plans commit commits agree agrees
    """
)
"""Verbs and participles that hand their subject on to an infinitive: `needs to check`."""

OUTSIDERS = word_set(
    """
    attacker attackers intruder intruders customer customers user users client clients people readers visitors
    buyers patients students subscribers everyone everybody anyone anybody
    """
)
"""People who did not run the system."""

NO_DUTY = word_set(
    """
    have see know receive get own need find hear exist belong use work mean include cover reach lose share appear
    agree expect depend wish experience suffer come stop join understand be notice
    """
)
"""What people did not do without anybody having asked it of them."""

BAD_OUTCOMES = word_set(
    """
    outage outages incident incidents failure failures downtime loss losses breakage damage mess disaster error
    errors mistake mistakes problem problems delay delays disruption crash breach chaos situation impact
    """
)

TECHNICAL = (
    r"(?:rates?|pages?|handl\w+|codes?|messages?|logs?|budgets?|responses?|counts?|class(?:es)?|"
    r"paths?|screens?|states?|"
    r"reports?|domains?|toleran\w+|injection|metrics?|ratios?|types?|values?|level|mask|"
    r"correction|detection|isolation)"
)
"""What makes `error` or `fault` before it a word of the trade, as a pattern."""
