// Partial pooling of rows that vary more than binomial or Poisson ones: beta-binomial events out of trials (logit
// link), or negative binomial counts over an exposure (log link). As partial_pooling_counted.stan, with a dispersion; a
// cell is one row, as these cannot be added up. Without dispersion rows are binomial or Poisson.
data {
  int<lower=0, upper=1> is_binomial;    // else counts
  int<lower=1> C;                       // rows
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
  real<lower=0> dispersion_sd;          // half-normal scale
}
parameters {
  vector[p] beta;                       // fixed effects
  vector<lower=0>[q] sigma_group;       // SDs of the varying effects
  cholesky_factor_corr[q] L_group;      // and their correlation's factor
  matrix[q, J] z;                       // standardised group effects
  real<lower=0> dispersion;             // variance m + dispersion m^2 of a count; beta(p, 1 - p) / dispersion of trials
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
  dispersion ~ normal(0, dispersion_sd);
  if (is_binomial) {
    events ~ beta_binomial(trials, inv_logit(eta) / dispersion, inv_logit(-eta) / dispersion);
  } else {
    events ~ neg_binomial_2_log(eta, inv(dispersion));
  }
}
