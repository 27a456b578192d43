"""What readers see: figures, tables and words, in English and Japanese. Computes no rate and reads no data.

Everything takes a ``Locale(language, zone)`` and gives an exhibit that Jupyter shows by itself
(``_repr_mimebundle_``); ``site`` turns the same outputs into HTML.

format    ``Locale``: ratios, counts, durations, instants, and ``locale.say(key, **values)`` for words
frames    contracts of the frames below (HOURLY_TRAFFIC, HOURLY_LATENCY, ROUTE_CHANGES, HOURLY_COMPLETENESS,
          TEAM_WEEKS) and the small records ``Events(deployments, incidents)`` and
          ``Periods(window, comparable, last_month)``
exhibit   ``Figure``, ``Table``, ``Prose``, ``Callout``, ``Notices``, ``Cards``, ``Masthead``,
          ``Facts``: what Jupyter shows; ``Notices`` takes findings already put into words
sections  the words around them:
            header(title=…, week=…, window=…, data_complete_through=…, locale=…, as_of=None, facts={}) -> Masthead
            team_header(team, *, week, window, data_complete_through, locale, as_of=None) -> Masthead
            section(name, *, locale) -> Prose          heading and "how to read this"; names in sections.SECTIONS
            headline(statuses, *, locale) -> Prose     the verdict in one sentence; headline_sentence gives the text
            verdict_cards(statuses, *, locale) -> Cards
            callout(name, *, locale, level, **values) -> Callout   names in sections.CALLOUTS
            nothing(name, *, locale) -> Callout        "there was none", said rather than left out; sections.NOTHINGS
figures   (``from shokubai.display import figures``) each gives a Figure whose title is the finding:
            figures.objectives(statuses, *, locale)
            figures.budget(histories, *, statuses, events, locale)        histories: SLO name -> BUDGET_HISTORY
            figures.burn(history, *, status, window, events, locale)      history: BURN_HISTORY of one SLO
            figures.sli_minutes(steps, *, status, episodes, window, events, locale)   SLI_STEPS of one SLO
            figures.traffic(hours, *, service, periods, events, locale)   hours: HOURLY_TRAFFIC
            figures.errors(hours, *, service, periods, statuses, events, locale)
            figures.latency(hours, *, service, periods, statuses, events, locale)   hours: HOURLY_LATENCY
            figures.saturation(metric_hours, *, window, events, locale) -> tuple[Figure, ...]   METRIC_HOURS
            figures.completeness(hours, *, silences, window, locale)      HOURLY_COMPLETENESS, SILENCES
tables    (``from shokubai.display import tables``) each gives a Table:
            tables.verdicts(statuses, *, locale)
            tables.burn_rates(statuses, *, locale)
            tables.episodes(episodes, *, slo, locale)                     slo.model.EPISODES of one SLO
            tables.routes_by_budget(routes, *, statuses, locale, limit=10)   ROUTE_CHANGES
            tables.routes_by_change(routes, *, locale, limit=10)          ROUTE_CHANGES
            tables.busiest_routes(routes, *, locale, limit=10)            ROUTE_CHANGES
            tables.changes(events, *, alerts, window, locale)             Events and tables.contracts.ALERTS
            tables.statuses(counts, *, services, locale)                  STATUS_COUNTS
            tables.silences(silences, *, locale)                          slo.model.SILENCES
            tables.metrics(metric_hours, *, locale)                       METRIC_HOURS
            tables.provenance(facts, *, locale)                           keys of tables.PROVENANCE_LABELS
            tables.queries(queries, *, locale)                            QUERIES
            tables.sre_requests(requests, *, locale)                      tables.contracts.SRE_REQUESTS
            tables.teams(weeks, *, locale)                                TEAM_WEEKS
"""
