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
  vector[p] beta_center;                // about where the posterior lies, and how wide it is:
  matrix[p, p] beta_factor;             // the sampler moves in these units
  vector<lower=0>[q] sigma_group_unit;
  array[q] int<lower=1, upper=p> varying;
  matrix<lower=0, upper=1>[J, q] u_own; // how much each group's cells say of its effects: 1 centred, 0 non-centred
  matrix[J, q] u_center;
  matrix<lower=0>[J, q] u_unit;
}
transformed data {
  row_vector[q] own = rep_row_vector(1, J) * u_own;
  matrix[J, q] stretch = exp((1 - u_own) .* rep_matrix(log(sigma_group_unit)', J));
  matrix[J, q] e_unit = u_unit ./ stretch;
  matrix[J, q] e_center = u_own .* rep_matrix(beta_center[varying]', J) + u_center ./ stretch;
}
parameters {
  vector[p] beta_in_units;
  vector<lower=0>[q] sigma_group_in_units;
  cholesky_factor_corr[q] L_group;      // factor of the varying effects' correlation
  matrix[q, J] e_in_units;
  real<lower=0> dispersion;             // variance m + dispersion m^2 of a count; beta(p, 1 - p) / dispersion of trials
}
transformed parameters {
  vector[p] beta = beta_center + beta_factor * beta_in_units;            // fixed effects
  vector[q] sigma_group = sigma_group_unit .* sigma_group_in_units;      // SDs of the varying effects
  // partly non-centred (Papaspiliopoulos, Roberts & Sköld 2007): row j of e is normal about own_j times the mean
  matrix[J, q] u = exp((1 - u_own) .* rep_matrix(log(sigma_group)', J))
                   .* (e_center + e_unit .* e_in_units' - u_own .* rep_matrix(beta[varying]', J));  // group effects
}
model {
  vector[C] eta = log_exposure + X * beta + rows_dot_product(Z, u[group]);
  beta ~ normal(beta_mean, beta_sd);
  sigma_group ~ normal(0, sigma_group_sd);
  L_group ~ lkj_corr_cholesky(lkj);
  to_vector(mdivide_left_tri_low(L_group, diag_post_multiply(u, inv(sigma_group))')) ~ std_normal();
  target += -own * log(sigma_group) - J * sum(log(diagonal(L_group)));
  dispersion ~ normal(0, dispersion_sd);
  if (is_binomial) {
    events ~ beta_binomial(trials, inv_logit(eta) / dispersion, inv_logit(-eta) / dispersion);
  } else {
    events ~ neg_binomial_2_log(eta, inv(dispersion));
  }
}
