// Partial pooling whose rows scatter with heavy tails: y ~ student_t(nu, mean of the group's line, sigma), on rows.
// With `unequal` each group has its u_own residual scale as well, log sigma_j ~ normal(log sigma, spread).
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
  array[q] int<lower=1, upper=p> varying;
  matrix<lower=0, upper=1>[J, q] u_own;   // how much each group's rows say of its effects: 1 centred, 0 non-centred
  matrix[J, q] u_center;
  matrix<lower=0>[J, q] u_unit;
  // with `unequal`, of the groups' log residual scales, as in partial_pooling_spreads.stan
  vector<lower=0, upper=1>[unequal ? J : 0] sigma_own;
  vector[unequal ? J : 0] log_sigma_center;
  vector<lower=0>[unequal ? J : 0] log_sigma_unit;
  vector[unequal] log_sigma_mean_center;
  vector<lower=0>[unequal] spread_unit;
}
transformed data {
  matrix[J, q] stretch = exp((1 - u_own) .* rep_matrix(log(sigma_group_unit)', J));
  matrix[J, q] e_unit = u_unit ./ stretch;
  matrix[J, q] e_center = u_own .* rep_matrix(beta_center[varying]', J) + u_center ./ stretch;
  vector[unequal ? J : 0] eta_unit;
  vector[unequal ? J : 0] eta_center;
  if (unequal) {
    vector[J] widening = exp((1 - sigma_own) * log(spread_unit[1]));
    eta_unit = log_sigma_unit ./ widening;
    eta_center = sigma_own * log_sigma_mean_center[1] + (log_sigma_center - log_sigma_mean_center[1]) ./ widening;
  }
}
parameters {
  vector[p] beta_in_units;
  vector<lower=0>[q] sigma_group_in_units;
  cholesky_factor_corr[q] L_group;      // factor of the varying effects' correlation
  real<lower=0> sigma_in_units;
  real<lower=1> nu;                     // degrees of freedom
  matrix[J, q] e_in_units;
  vector[unequal ? J : 0] eta_in_units;
  vector<lower=0>[unequal] spread_in_units;
}
transformed parameters {
  vector[p] beta = beta_center + beta_factor * beta_in_units;            // fixed effects
  vector[q] sigma_group = sigma_group_unit .* sigma_group_in_units;      // SDs of the varying effects
  real sigma = sigma_unit * sigma_in_units;                              // residual scale
  vector[unequal] spread = spread_unit .* spread_in_units;               // SD of the groups' log residual scales
  // partly non-centred (Papaspiliopoulos, Roberts & Sköld 2007): row j of e is normal about own_j times the mean
  matrix[J, q] log_sd = rep_matrix(log(sigma_group)', J);
  matrix[J, q] away = e_center + e_unit .* e_in_units - u_own .* rep_matrix(beta[varying]', J);
  matrix[J, q] u = exp((1 - u_own) .* log_sd) .* away;                     // group effects
  vector[unequal ? J : 0] eta;
  vector[J] group_sigma = rep_vector(sigma, J);
  if (unequal) {
    eta = eta_center + eta_unit .* eta_in_units;
    group_sigma = sigma * exp(exp((1 - sigma_own) * log(spread[1])) .* (eta - sigma_own * log(sigma)));
  }
}
model {
  beta ~ normal(beta_mean, beta_sd);
  sigma_group ~ normal(0, sigma_group_sd);
  L_group ~ lkj_corr_cholesky(lkj);
  sigma ~ exponential(1 / sigma_mean);
  nu ~ gamma(2, 0.1);
  to_vector(mdivide_left_tri_low(L_group, (away ./ exp(u_own .* log_sd))')) ~ std_normal();
  target += -sum(u_own .* log_sd) - J * sum(log(diagonal(L_group)));
  if (unequal) {
    spread ~ normal(0, spread_sd);
    eta ~ normal(sigma_own * log(sigma), exp(sigma_own * log(spread[1])));
  }
  y ~ student_t(nu, X * beta + rows_dot_product(Z, u[group]), group_sigma[group]);
}
