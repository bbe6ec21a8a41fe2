"""The shape of the import graph, beside the contracts of import-linter in pyproject.toml."""

import grimp


def test_no_modules_import_one_another_in_a_circle_not_even_for_types():
    graph = grimp.build_graph("gateway", "workers", "shared", "deploy", exclude_type_checking_imports=False)
    imported = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    # Without the modules that import nothing else, again and again, circles and what leads to them are left.
    while leaves := {module for module, others in imported.items() if not others}:
        imported = {module: others - leaves for module, others in imported.items() if module not in leaves}
    assert not imported
