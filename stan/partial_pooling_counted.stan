// Partial pooling of a counted outcome: events out of trials (logit link), or counts over an exposure (log link).
// Rows of one group with equal predictors enter as one cell, their sums. Unlike normal rows, counted ones leave no
// closed form for the group effects, so these are parameters, non-centred; predictors are centre-scaled.
data {
  int<lower=0, upper=1> is_binomial;    // else Poisson
  int<lower=1> C;                       // cells
  int<lower=1> J;                       // groups
  int<lower=1> p;                       // fixed effects, intercept first
  int<lower=1, upper=p> q;              // varying effects
  array[C] int<lower=1, upper=J> group;
  matrix[C, p] X;                       // first column 1
  matrix[C, q] Z;                       // the columns of X whose effect varies
  array[C] int<lower=0> events;         // or counts
  array[C] int<lower=1> trials;         // 1 of counts
  vector[C] log_exposure;               // 0 of events
  vector[p] beta_mean;                  // prior means and SDs of the fixed effects, on the link's scale
  vector<lower=0>[p] beta_sd;
  vector<lower=0>[q] sigma_group_sd;    // half-normal scales
  real<lower=0> lkj;
}
parameters {
  vector[p] beta;                       // fixed effects
  vector<lower=0>[q] sigma_group;       // SDs of the varying effects
  cholesky_factor_corr[q] L_group;      // and their correlation's factor
  matrix[q, J] z;                       // standardised group effects
}
transformed parameters {
  matrix[J, q] u = (diag_pre_multiply(sigma_group, L_group) * z)';
}
model {
  vector[C] eta = log_exposure + X * beta + rows_dot_product(Z, u[group]);
  beta ~ normal(beta_mean, beta_sd);
  sigma_group ~ normal(0, sigma_group_sd);
  L_group ~ lkj_corr_cholesky(lkj);
  to_vector(z) ~ std_normal();
  if (is_binomial) {
    events ~ binomial_logit(trials, eta);
  } else {
    events ~ poisson_log(eta);
  }
}
