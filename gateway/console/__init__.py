"""The console at `/admin`: what the admin API does, as pages for people.

It is a second face of the admin API and has no rules of its own: the same session, the same guards, the same
repositories, and the same bodies check its forms. Pages work without script wherever that makes sense.

    mounted.py              everything, as app.py mounts it
    access.py               who may see a page, and what an error looks like
    shown.py                the navigation
    forms.py, listing.py    what is typed, and what is in an address
    confirm.py              asking before something is done for good
    kept.py, drawn.py       stored pictures as files, and what is drawn over them
    day.py, live.py         what the overview shows; charts.py: numbers into drawings
    pages/, templates/      one module and one template a page
"""
