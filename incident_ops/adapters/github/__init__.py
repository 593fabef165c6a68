"""GitHub as tracker: REST through PyGithub's requester, with waits and repeats of our own.

A snapshot takes one request for each 100 issues of a label. GraphQL would take one for each 100 nodes as well, cannot
leave out a field by what the server knows, and a create there does not take labels by name, so it saves nothing within
the bound of 3 + ceil(owned / 100) requests. It answers one question that REST does not: who gave an issue which text.

    connect.py      environment -> tracker
    issues.py       the tracker, and how an issue is opened once      comments.py    comments, written once
    pulls.py        the pull requests of our branches                 timelines.py   who closed an issue, with what
    body_edits.py   who gave an issue which text                      runs.py        whether a run of Actions is over
    deployments.py  what GitHub knows of deployments                  responses.py   answers -> values and refusals
    client.py       requests, pages, repeats; the only module that imports PyGithub
    retry.py        when a request is sent again
"""
