"""GitHub as tracker: REST only, through PyGithub's requester, with waits and repeats of our own.

A snapshot takes one request for each 100 issues of a label. GraphQL would take one for each 100 nodes as well, cannot
leave out a field by what the server knows, and a create there does not take labels by name, so it saves nothing within
the bound of 3 + ceil(owned / 100) requests.

    connect.py     environment -> tracker
    issues.py      the tracker                  opening.py, comments.py   its two writes that may not happen twice
    pulls.py       the one bot pull request     identity.py               whose words count as ours
    closings.py    who closed an issue, with what        shapes.py        answers -> values
    client.py      requests, pages, repeats     retry.py                  when a request is sent again
    faults.py      refusals -> lines for people wire.py                   the only module that imports PyGithub
"""
