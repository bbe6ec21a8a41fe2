"""How the pages that this gateway serves look: templates, words in two languages, a theme, and the rules for a browser.

render.py       page(request, template, …) -> a response with its policy
preferences.py  the language and the theme that a browser asks for
words/          every text of every page, one file a language
formats.py      numbers, times and lists as pages show them
assets.py       style sheets, scripts and pictures, from memory
"""
