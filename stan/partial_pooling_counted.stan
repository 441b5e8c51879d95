// Partial pooling of a counted outcome: events out of trials (logit link), or counts over an exposure (log link).
// Rows of one group with equal predictors enter as one cell, their sums. Unlike normal rows, counted ones leave no
// closed form for the group effects, so these are parameters; predictors are centre-scaled. Groups whose cells say more
// of their effects than the other groups do are centred, on what their cells determine; all others are non-centred, and
// the sampler moves in what the fixed effects and they add up to, on average over their cells.
data {
  int<lower=0, upper=1> is_binomial;    // else Poisson
  int<lower=1> C;                       // cells
  int<lower=1> J;                       // groups
  int<lower=1> p;                       // fixed effects, intercept first
  int<lower=1, upper=p> q;              // varying effects
  array[C] int<lower=1, upper=J> group;
  matrix[C, p] X;                       // first column 1
  matrix[C, q] Z;                       // the columns of X whose effect varies
  array[q] int<lower=1, upper=p> varying;
  array[C] int<lower=0> events;         // or counts
  array[C] int<lower=1> trials;         // 1 of counts
  vector[C] log_exposure;               // 0 of events
  vector[p] beta_mean;                  // prior means and SDs of the fixed effects, on the link's scale
  vector<lower=0>[p] beta_sd;
  vector<lower=0>[q] sigma_group_sd;    // half-normal scales
  real<lower=0> lkj;
  int<lower=0, upper=J> n_centred;      // groups whose effects are centred
  array[n_centred] int<lower=1, upper=J> centred;
  array[J - n_centred] int<lower=1, upper=J> non_centred;
  array[q] matrix[n_centred, p] centred_mean;     // times beta: what the fixed effects are in these groups' cells
  matrix[n_centred, q] centred_center;            // about where those and the group effects add up to, and how wide:
  matrix<lower=0>[n_centred, q] centred_unit;     // the sampler moves in these units
  matrix<lower=0, upper=1>[J - n_centred, q] share;  // of what the cells say of each varying term
}
parameters {
  vector[p] beta_about;                 // fixed effects, and of varying terms what groups add to them on average
  vector<lower=0>[q] sigma_group;       // SDs of the varying effects
  cholesky_factor_corr[q] L_group;      // and their correlation's factor
  matrix[q, J] z;                       // group effects: standardised, or of centred groups in their units
}
transformed parameters {
  matrix[q, q] T = diag_pre_multiply(sigma_group, L_group);
  vector[p] beta = beta_about;          // fixed effects
  matrix[J, q] u;
  u[non_centred] = (T * z[ : , non_centred])';
  for (k in 1 : q) {
    beta[varying[k]] -= dot_product(share[ : , k], u[non_centred, k]);
  }
  if (n_centred > 0) {
    matrix[n_centred, q] effects = centred_center + centred_unit .* z[ : , centred]';
    for (k in 1 : q) {
      effects[ : , k] -= centred_mean[k] * beta;
    }
    u[centred] = effects;
  }
}
model {
  vector[C] eta = log_exposure + X * beta + rows_dot_product(Z, u[group]);
  beta ~ normal(beta_mean, beta_sd);
  sigma_group ~ normal(0, sigma_group_sd);
  L_group ~ lkj_corr_cholesky(lkj);
  to_vector(z[ : , non_centred]) ~ std_normal();
  if (n_centred > 0) {
    to_vector(mdivide_left_tri_low(T, u[centred]')) ~ std_normal();
    target += -n_centred * sum(log(diagonal(T)));
  }
  if (is_binomial) {
    events ~ binomial_logit(trials, eta);
  } else {
    events ~ poisson_log(eta);
  }
}
