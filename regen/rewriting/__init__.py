"""Learn a rule from edits, as a change of a generator's weights.

Its modules, in the order in which they come into play:

    settings, usual_steps, checks           what can be chosen, and what suits where nobody chose
    presets, precedence                     whose choice counts
    resolve, usual_settings, oracle_checks  everything that edits name, opened and checked once:
    task                                    what a rewrite is made from
    layer_choice, layer_trials              the cut, if it is to be chosen by trying
    exemplars, examples                     patterns, and the targets that receive them
    composite, rule, direct_values          keys of the targets, and the values they should give
    key_similarity, preserved               where the rule will act, and what must stay
    preview, map_checks                     this much is shown before anything is learned,
    cautions, pattern_sizes, mask_labels    with what looks wrong,
    workbench, rule_cache, suggestions      again and again while edits are being made,
    duration                                with the time that the rest will take
    learn                                   from a task to a rewrite
    memory, objective, recall, crops        the fit: steps, and what they minimise
    key_moments, moment_cache, rule_keys    second moments of keys,
    closed_form, coordinates                from which few steps suffice
    rewrite, rewrite_checks, applying       the result: applied, scaled, composed, reverted, saved
    pasted                                  what stands in for an oracle when it is measured
"""
