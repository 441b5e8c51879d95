"""“How to read this”: what each kind of figure and table shows, for readers who are no statisticians."""

POOLINGS = (
    "Each small panel is one group, each grey dot one of its rows. Lines are what a model expects: dotted for complete "
    "pooling (the same in every panel), dashed for no pooling, dash-dotted for partial pooling, solid for Bayes. "
    "Where a group has few rows, its own dashed line is easily led astray by chance, and the pooled lines lean "
    "towards the dotted one."
)
DISPLACEMENT = (
    "Each point is a group, each thin line the way its estimate goes from no pooling to partial pooling to Bayes. "
    "Groups with few rows move most, towards the average of all groups. Long ways are no fault: they show estimates "
    "that the group’s own rows could not carry."
)
VARIANCE = (
    "A standard deviation says how far things typically lie from their average. REML gives one value for each; Bayes "
    "also says how uncertain it is. Shrinkage runs from 0 (the group’s own rows decide) to 1 (the average of all "
    "groups decides)."
)
SINGULARITY = (
    "“Singular” means that the best-fitting difference between groups is exactly zero in some respect. That is a valid "
    "answer of the method, but rarely a believable one: the data cannot tell a small difference from none. The usual "
    "(conditional) intervals then take the zero for certain and become far too short. The joint interval adds the "
    "uncertainty of the average; only the Bayesian one also adds that of the spread between groups."
)
SIMPSON = (
    "Grey dots are rows, diamonds are group averages. When groups differ in the predictor and in the outcome at once, "
    "the line through all rows follows the differences between groups and not what happens within them. A question "
    "about members of a group is answered by the slope within groups."
)
PREDICTIVE = (
    "The model is asked to invent data of the same size many times. If the real data (red line) lie well within what "
    "it invents, the model has learnt their shape; if not, it has missed something. Pareto k does the same for single "
    "rows: a value above the line marks a row that the model finds very surprising."
)
SAMPLER = (
    "Several chains explore the possible values independently. In a rank plot every chain’s line should stay within "
    "the grey band: then all have found the same answer. A line that leaves it often says that they disagree."
)
CHANGES = (
    "Grey is what the last report said about a group, green what this one says. Estimates change a little whenever "
    "rows are added; where the two intervals overlap for the most part, nothing has been learnt but precision. A group "
    "is called changed when the difference is larger than the uncertainty of both estimates together explains. As the "
    "reports share rows, that is a cautious rule: a slow drift shows over several reports, not between two."
)
HISTORY = (
    "Each small panel is one group, each point the estimate that a report gave, each bar its 95 % interval. Bars that "
    "get shorter show what more rows are worth. A line that leaves the range of its earlier bars says that the group "
    "itself has changed, or how its rows are collected. A gap: that report had no rows of the group."
)
MODELS = (
    "A smaller error on the rows that a model was fitted to is no proof of a better model: more flexible models always "
    "come closer to their own rows. It is shown because it is often asked for."
)
