// Partial pooling whose rows scatter with heavy tails: y ~ student_t(nu, mean of the group's line, sigma), on rows.
// With `unequal` each group has its own residual scale as well, log sigma_j ~ normal(log sigma, spread).
// The outcome is centred and in units of its standard deviation, predictors are centre-scaled.
data {
  int<lower=1> N;                       // rows
  int<lower=1> J;                       // groups
  int<lower=1> p;                       // fixed effects, intercept first
  int<lower=1, upper=p> q;              // varying effects
  int<lower=0, upper=1> unequal;
  array[N] int<lower=1, upper=J> group;
  matrix[N, p] X;                       // first column 1
  matrix[N, q] Z;                       // the columns of X whose effect varies
  vector[N] y;
  vector[p] beta_mean;                  // prior means and SDs of the fixed effects
  vector<lower=0>[p] beta_sd;
  vector<lower=0>[q] sigma_group_sd;    // half-normal scales
  real<lower=0> sigma_mean;             // mean of the exponential prior
  real<lower=0> lkj;
  real<lower=0> spread_sd;              // half-normal scale of the groups' log residual scales about their mean
  vector[p] beta_center;                // about where the posterior lies, and how wide it is:
  matrix[p, p] beta_factor;             // the sampler moves in these units
  vector<lower=0>[q] sigma_group_unit;
  real<lower=0> sigma_unit;
}
parameters {
  vector[p] beta_in_units;
  vector<lower=0>[q] sigma_group_in_units;
  cholesky_factor_corr[q] L_group;      // factor of the varying effects' correlation
  real<lower=0> sigma_in_units;
  real<lower=1> nu;                     // degrees of freedom
  matrix[q, J] z;                       // standardised group effects
  vector[unequal ? J : 0] log_sigma_z;
  vector<lower=0>[unequal] spread_of_one;
}
transformed parameters {
  vector[p] beta = beta_center + beta_factor * beta_in_units;            // fixed effects
  vector[q] sigma_group = sigma_group_unit .* sigma_group_in_units;      // SDs of the varying effects
  real sigma = sigma_unit * sigma_in_units;                              // residual scale
  matrix[J, q] u = (diag_pre_multiply(sigma_group, L_group) * z)';
  vector[J] group_sigma = rep_vector(sigma, J);
  if (unequal) {
    group_sigma = sigma * exp(spread_of_one[1] * log_sigma_z);
  }
}
model {
  beta ~ normal(beta_mean, beta_sd);
  sigma_group ~ normal(0, sigma_group_sd);
  L_group ~ lkj_corr_cholesky(lkj);
  sigma ~ exponential(1 / sigma_mean);
  nu ~ gamma(2, 0.1);
  to_vector(z) ~ std_normal();
  log_sigma_z ~ std_normal();
  spread_of_one ~ normal(0, spread_sd);
  y ~ student_t(nu, X * beta + rows_dot_product(Z, u[group]), group_sigma[group]);
}
