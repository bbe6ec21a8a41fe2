"""The console at `/admin`: what the admin API does, as pages for people.

It is a second face of the admin API and has no rules of its own: the same session, the same guards, the same
repositories, and the same bodies check its forms. Pages work without script wherever that makes sense.

    access.py   who may see a page, and what an error looks like      forms.py, listing.py   what is typed, and addresses
    shown.py    the navigation                                        day.py, live.py        what the overview shows
    pages/      one module and one template (templates/) each         charts.py              numbers into drawings
"""
