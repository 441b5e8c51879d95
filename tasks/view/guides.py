"""“How to read this”: what each kind of figure and table shows, for readers who are no statisticians."""

POOLINGS = (
    "Each small panel is one group, each grey dot one of its rows. Lines are what a model expects: dotted for complete "
    "pooling (the same in every panel), dashed for no pooling, dash-dotted for partial pooling, solid for Bayes. "
    "Where a group has few rows, its own dashed line is easily led astray by chance, and the pooled lines lean "
    "towards the dotted one. Thin green lines are other lines for the group that the data leave possible, as Bayes "
    "sees it: where they keep together, its line is well known."
)
DISPLACEMENT = (
    "Each point is a group, each thin line the way its estimate goes from no pooling to partial pooling to Bayes. "
    "Groups whose own rows say little, often because they are few, move most towards the average of all groups, and "
    "their intervals become shorter: they borrow from the others. Long ways are no fault: they show estimates that the "
    "group’s own rows could not carry. "
    "The level is read where every predictor is at its average."
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
    "the grey band: then all have found the same answer. A line that leaves it often says that they disagree. The "
    "sampler moves like a ball whose speed is drawn anew at each step: if one step changes its energy far less than "
    "energies differ, it is slow to reach rare values."
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
RANKS = (
    "Ranks look more certain than they are: a small change in one group’s estimate moves it past many others. Each "
    "line holds a group’s rank with probability 95 %. Long lines mean that the data do not say where the group "
    "belongs. Rankability is the share of the variation between the groups’ own estimates that is more than chance; "
    "below 50 % ranks are mostly noise, and only from 75 % on is it called high (van Dishoeck and others, 2011). A "
    "league table is called justified here where rankability is high and at least half of the groups lie surely in "
    "one half of the table."
)
FUNNEL_OPENS = "Means of few rows vary more by chance, so the limits open towards small groups like a funnel."
FUNNEL = (
    "A group inside the grey limits need not differ from the average at all. One inside the green limits differs no "
    "more than groups usually do. One outside them is worth a look: at its rows first, then at what it does. Chance "
    "puts about one group in 20 outside the dashed lines and one in 500 outside the solid ones."
)
SIZE = (
    "Partial pooling draws a group with few rows towards the average of all groups. That is right if small groups are "
    "like the others, and wrong if they are not: then their own average should be the aim. A trend of level with size "
    "is a sign of it. The second test leaves rows out and predicts them: where the points leave the dotted line by "
    "more than their intervals, groups of that size are estimated too high (left) or too low (right)."
)
MODELS = (
    "A smaller error on the rows that a model was fitted to is no proof of a better model: more flexible models always "
    "come closer to their own rows. It is shown because it is often asked for. What decides is the error on new rows: "
    "a part of the rows is held out in turn, every model is fitted to the rest, and predicts the part it has not seen. "
    "The difference to the best model comes with its standard error; a difference of less than two of these may be "
    "chance."
)
PIT = (
    "For every row the model is asked, without that row: how probable is an outcome below the one observed? If its "
    "predictions are right, one row in ten has a probability below 10 %, half of the rows one below 50 %, and so on. "
    "The curve shows how far the rows depart from this. Chance alone keeps all of the curve within the grey band in "
    "at least 95 of 100 studies. It rises on the left and falls on the right where predictions are too narrow, and "
    "does the opposite where they are too wide; predictions that are too high or too low lift or lower the whole curve."
)
HELD_OUT = (
    "Two questions differ. A new row of a known group can lean on that group’s own rows; a row of a new group can "
    "lean only on the average of all groups, so it is predicted less well. A log score says how probable a group’s "
    "rows were for the model before it had seen them: higher is better, and groups far below the others are the odd "
    "ones. Pareto k tells whether a group can be left out by calculation: above the limit, its score may be too good."
    " The last figure asks the reverse: how far would the average of all groups move without this one? Moves within "
    "one standard error are no more than the uncertainty that is stated anyway. Among few groups every one has a large "
    "say, so a group that moves the average further is only called influential if it also lies farther out than chance "
    "explains in 99 of 100 studies."
)
PRIORS = (
    "A Bayesian model starts from priors: what each unknown could be before the data are seen. The first figure "
    "shows which data the priors allow (bands) beside the data (red line): the line should not leave the bands, and "
    "the bands should not be absurdly wide. In the small panels, the narrower the green curve is beside the purple "
    "one, the more the data have taught. Sensitivity says how far a result moves when the prior, or the data, count "
    "for more or less: at 0.05, doubling or halving the weight would move it by about a quarter of its own "
    "uncertainty. If the prior moves a result and the data do so too, the two may pull apart; if the prior alone "
    "does, the prior decides it. Among few groups every prior on their spread is felt: there the health card asks for "
    "review only from twice that limit on."
)
ASSUMPTIONS = (
    "The model gives every group the same residual SD. A group whose bar leaves the dotted line out scatters more, "
    "or less, than the model believes; its intervals are then too short, or too long. In the Q–Q plot points on the "
    "dashed line follow a normal distribution; ends that bend away from it are tails heavier or lighter than that. "
    "In the last figure the lines should run level: a bend is an effect the model has missed, a funnel a spread that "
    "grows with the expected value."
)
LIKELIHOOD_PROFILE = (
    "The curve asks of every group SD in turn: if it had this value, and all else were chosen as well as possible, how "
    "much worse would the model fit? A deep narrow valley means that the data know the SD well; a wide flat one that "
    "many values are about as good. Where the curve starts low at the left, the data cannot tell a small spread from "
    "none. The dashed line is an orientation: away from 0, values below it make a 95 % interval; near 0 that rule does "
    "not hold, and the simulated test takes its place."
)
REMEDIES = (
    "A singular fit is no error, but its intervals cannot be used. What to do instead is debated, so every way in "
    "common use has been gone here with the same data. Where the ways agree about a group, its estimate does not "
    "depend on the choice. Where their intervals differ, the narrow ones take something for certain that the data "
    "leave open. "
    "Dropping a term, uncorrelated terms and the penalised fit have joint intervals, which take the spread of the "
    "groups as known; only Bayes does not."
)
