"""The words of the report, explained once."""

GLOSSARY: tuple[tuple[str, str], ...] = (
    ("Group", "A set of rows that belong together, such as one county or one patient."),
    (
        "Average group",
        "What the model expects of a group of which nothing is known but its predictors: groups are drawn to it.",
    ),
    (
        "Level (intercept)",
        "A group’s expected outcome where every predictor is at its average; models call it the intercept.",
    ),
    ("Average of the groups", "The plain average of the groups’ own values in the report, each group counted once."),
    ("Complete pooling", "One estimate for all rows, as if there were no groups."),
    ("No pooling", "A separate estimate per group, from that group’s rows alone."),
    (
        "Partial pooling",
        "A compromise: each group’s estimate is drawn towards the average group, and the more so the fewer "
        "rows the group has. Also called a multilevel, mixed or hierarchical model.",
    ),
    ("Bayes", "Partial pooling in which every unknown, the spread of the groups included, carries its uncertainty."),
    ("Shrinkage", "How far a group’s estimate is drawn to the average group: 0 is not at all, 1 is all the way."),
    (
        "Group SD (τ, sigma_group)",
        "How much groups differ: the standard deviation of a group’s effect around the average group.",
    ),
    ("Residual SD (σ, sigma_residual)", "How much rows of one group differ from what the model expects of them."),
    (
        "ICC",
        "Intraclass correlation: the share of the variation that lies between groups, at the predictors’ averages.",
    ),
    (
        "Singular fit",
        "The best-fitting spread of some group effect is exactly zero, or two effects move in perfect step. The fit is "
        "valid, but its usual intervals then claim too much.",
    ),
    ("Conditional interval", "An interval for a group’s effect that takes everything else as known. Often too short."),
    ("Joint interval", "Includes the uncertainty of the average group, but takes the spread of the groups as known."),
    (
        "Bayesian interval",
        "Includes every unknown. Given the model and the data, it holds the value with probability 95 %.",
    ),
    (
        "95 % interval",
        "A range made so that, in 95 of 100 cases, the true value lies in it.",
    ),
    (
        "Odds ratio",
        "Odds are the chance that something happens by the chance that it does not. An odds ratio of 2 means twice the "
        "odds; for rare events that is about twice the rate.",
    ),
    ("Rate ratio", "One rate by another: 1.2 is a rate higher by a fifth."),
    (
        "Median odds ratio (median rate ratio)",
        "How much groups differ: of two groups taken at random, the odds or the rate of the higher one by that of the "
        "other, in the middle pair of all.",
    ),
    (
        "Standardised rate",
        "The rate that a group would have if its cases were the mix of cases of all groups together. Such rates can be "
        "compared.",
    ),
    (
        "Observed by expected (observed / expected)",
        "What was counted in a group by what was to be expected: what its own cases would have come to, had they fared "
        "as such cases do in all groups. Above 1 is more than expected.",
    ),
    ("Exact interval", "An interval for what was counted that holds also where little or nothing was counted."),
    ("Overdispersion", "Counts that vary more than chance alone makes them, given what the model knows of them."),
    (
        "Quadrature",
        "How the likelihood of a mixed model of counts is computed: as a sum over what a group could be like.",
    ),
    (
        "Quantile residual",
        "Where a count lies among the counts that its prediction makes possible, from 0 to 1. They are spread evenly "
        "if the model is right.",
    ),
    ("Expected rank", "The average of a group’s rank over all values that the data leave possible; 1 is the highest."),
    ("Rankability", "The share of the variation between groups’ own estimates that is more than chance."),
    ("Funnel plot", "Means against group size, with limits that open where chance alone makes means vary more."),
    (
        "Unintended shrinkage",
        "Small groups are drawn to an average group that does not suit them, because level and size go together.",
    ),
    ("Standard deviation (SD)", "A typical distance from the average."),
    ("Standard error (SE)", "The uncertainty of an estimate, as a standard deviation."),
    ("REML", "Restricted maximum likelihood: the usual way to estimate the spread of the groups without Bayes."),
    ("RMSE", "Root mean square error: the typical distance of the rows from what a model fitted to them expects."),
    (
        "Out of sample, cross-validation",
        "Rows are held out in turn and predicted by a model that was fitted without them. Only this tells how good "
        "predictions of new rows are.",
    ),
    ("Leave one group out", "How well the model predicts a group’s rows from all others, as those of a new group."),
    ("DFBETAS", "How far an estimate moves when one group is left out, in standard errors."),
    ("Cook’s distance", "How far all estimates for the average group move together when one group is left out."),
    ("LOO-PIT", "For each row the predicted probability of a smaller outcome, had the model not seen that row."),
    ("PSIS-LOO", "How well the model predicts each row from all the others, found without refitting."),
    ("Pareto k", "How far one row sways that calculation. High values name influential or surprising rows."),
    ("R-hat", "Compares the sampler’s chains with each other. Close to 1 means that they agree."),
    ("ESS", "Effective sample size: how many independent draws the sampler’s draws are worth."),
    ("E-BFMI, divergences", "Warnings of the sampler that it may have missed a part of the possible values."),
    (
        "Prior",
        "What the model holds possible before it sees the data. A weak prior rules out the absurd and leaves the "
        "rest to the data.",
    ),
    (
        "Posterior",
        "What the model holds possible after it has seen the data. Of levels and effects the report gives its mean; of "
        "standard deviations, correlations and shares, which are skewed, its median.",
    ),
    (
        "Brown–Forsythe test",
        "Asks whether the rows of some groups scatter more than those of others. A small p says that chance alone "
        "would rarely make such differences.",
    ),
    ("Q–Q plot", "Compares values in order of size with those that a normal distribution would give."),
)
