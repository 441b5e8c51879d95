// The textbook program for the same model, on rows and with the group effects as parameters
// (non-centred). It is the marginal program's oracle, and the base for other likelihoods.
data {
  int<lower=1> N;                       // rows
  int<lower=1> J;                       // groups
  int<lower=1> p;                       // fixed effects, intercept first
  int<lower=1, upper=p> q;              // varying effects
  array[N] int<lower=1, upper=J> group;
  matrix[N, p] X;                       // first column 1
  matrix[N, q] Z;                       // the columns of X whose effect varies
  vector[N] y;
  vector[p] beta_mean;                  // prior means and SDs of the fixed effects
  vector<lower=0>[p] beta_sd;
  vector<lower=0>[q] sigma_group_sd;    // half-normal scales
  real<lower=0> sigma_mean;             // mean of the exponential prior
  real<lower=0> lkj;
}
parameters {
  vector[p] beta;                       // fixed effects
  vector<lower=0>[q] sigma_group;       // SDs of the varying effects
  cholesky_factor_corr[q] L_group;      // and their correlation's factor
  real<lower=0> sigma;                  // residual SD
  matrix[q, J] z;                       // standardised group effects
}
transformed parameters {
  matrix[J, q] u = (diag_pre_multiply(sigma_group, L_group) * z)';
}
model {
  beta ~ normal(beta_mean, beta_sd);
  sigma_group ~ normal(0, sigma_group_sd);
  L_group ~ lkj_corr_cholesky(lkj);
  sigma ~ exponential(1 / sigma_mean);
  to_vector(z) ~ std_normal();
  y ~ normal(X * beta + rows_dot_product(Z, u[group]), sigma);
}
