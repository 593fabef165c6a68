"""GitHub as tracker: REST only, through PyGithub's requester, with waits and repeats of our own.

A snapshot takes one request for each 100 issues of a label. GraphQL would take one for each 100 nodes as well, cannot
leave out a field by what the server knows, and a create there does not take labels by name, so it saves nothing within
the bound of 3 + ceil(owned / 100) requests.

    connect.py      environment -> tracker
    issues.py       the tracker, and how an issue is opened once      comments.py   comments, written once
    pulls.py        the one bot pull request                          closings.py   who closed an issue, with what
    deployments.py  what GitHub knows of deployments                  responses.py  answers -> values
    client.py       requests, pages, repeats; the only module that imports PyGithub
    retry.py        when a request is sent again                      errors.py     refusals -> lines for people
"""
