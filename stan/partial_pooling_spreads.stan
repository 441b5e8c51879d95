// Partial pooling in which rows scatter more in some groups than in others: log sigma_j ~ normal(log sigma, spread).
// As in partial_pooling_marginal.stan the group effects are integrated out and rows enter through their group's
// cross-products only; each group has its own residual SD, which the sampler explores.
// The outcome is centred and in units of its standard deviation, predictors are centre-scaled.
functions {
  // for each group log|A_j| and s_j' A_j^-1 s_j (two columns),
  // with A_j = sigma_j^2 I + T' Z_j'Z_j T and s_j = T' Z_j' (y_j - X_j beta)
  matrix log_dets_and_forms(matrix T, vector v, array[] matrix ztz, matrix ztr) {
    int q = cols(T);
    int J = rows(ztr);
    matrix[J, 2] found;
    if (q == 1) {
      vector[J] a = v + square(T[1, 1]) * col(ztz[1], 1);
      found[ : , 1] = log(a);
      found[ : , 2] = square(T[1, 1] * col(ztr, 1)) ./ a;
      return found;
    }
    if (q == 2) {
      vector[J] zz = T[1, 1] * col(ztz[1], 2) + T[2, 1] * col(ztz[2], 2);
      vector[J] a11 = v + square(T[1, 1]) * col(ztz[1], 1) + 2 * T[1, 1] * T[2, 1] * col(ztz[1], 2)
                      + square(T[2, 1]) * col(ztz[2], 2);
      vector[J] a21 = T[2, 2] * zz;
      vector[J] a22 = v + square(T[2, 2]) * col(ztz[2], 2);
      vector[J] s1 = T[1, 1] * col(ztr, 1) + T[2, 1] * col(ztr, 2);
      vector[J] s2 = T[2, 2] * col(ztr, 2);
      vector[J] det = a11 .* a22 - square(a21);
      found[ : , 1] = log(det);
      found[ : , 2] = (a22 .* square(s1) - 2 * a21 .* s1 .* s2 + a11 .* square(s2)) ./ det;
      return found;
    }
    for (j in 1 : J) {
      matrix[q, q] zz;
      for (k in 1 : q) {
        zz[k] = ztz[k][j];
      }
      matrix[q, q] L = cholesky_decompose(add_diag(quad_form_sym(zz, T), v[j]));
      vector[q] half = mdivide_left_tri_low(L, T' * ztr[j]');
      found[j, 1] = 2 * sum(log(diagonal(L)));
      found[j, 2] = dot_self(half);
    }
    return found;
  }
}
data {
  int<lower=1> J;                       // groups
  int<lower=1> p;                       // fixed effects, intercept first
  int<lower=1, upper=p> q;              // varying effects
  vector<lower=1>[J] n;                 // rows
  vector[p] beta_complete;              // complete-pooling estimate
  vector<lower=0>[J] rss;               // residual sums of squares about it
  matrix[J, p] xtr;                     // row j is X_j'(y_j - X_j beta_complete)
  array[p] matrix[J, p] xtx;            // xtx[k][j] is row k of X_j'X_j
  array[q] matrix[J, q] ztz;            // ztz[k][j] is row k of Z_j'Z_j
  array[q] matrix[J, p] ztx;            // ztx[k][j] is row k of Z_j'X_j
  matrix[J, q] ztr_complete;            // row j is Z_j'(y_j - X_j beta_complete)
  vector[p] beta_mean;                  // prior means and SDs of the fixed effects
  vector<lower=0>[p] beta_sd;
  vector<lower=0>[q] sigma_group_sd;    // half-normal scales
  real<lower=0> sigma_mean;             // mean of the exponential prior
  real<lower=0> lkj;
  real<lower=0> spread_sd;              // half-normal scale of the groups' log residual SDs about their mean
  vector[p] beta_center;                // about where the posterior lies, and how wide it is:
  matrix[p, p] beta_factor;             // the sampler moves in these units
  vector<lower=0>[q] sigma_group_unit;
  vector[J] log_sigma_center;
  vector<lower=0>[J] log_sigma_unit;
  vector<lower=0, upper=1>[J] sigma_own;      // how much each group's rows say of its residual SD: 1 centred, 0 non-centred
  real log_sigma_mean_center;
  real<lower=0> log_sigma_mean_unit;
  real<lower=0> spread_unit;
}
transformed data {
  vector[J] stretch = exp((1 - sigma_own) * log(spread_unit));
  vector[J] eta_unit = log_sigma_unit ./ stretch;
  vector[J] eta_center = sigma_own * log_sigma_mean_center + (log_sigma_center - log_sigma_mean_center) ./ stretch;
}
parameters {
  vector[p] beta_in_units;
  vector<lower=0>[q] sigma_group_in_units;
  cholesky_factor_corr[q] L_group;      // factor of the varying effects' correlation
  vector[J] eta_in_units;
  real log_sigma_mean_in_units;
  real<lower=0> spread_in_units;
}
transformed parameters {
  vector[p] beta = beta_center + beta_factor * beta_in_units;            // fixed effects
  vector[q] sigma_group = sigma_group_unit .* sigma_group_in_units;      // SDs of the varying effects
  real log_sigma_mean = log_sigma_mean_center + log_sigma_mean_unit * log_sigma_mean_in_units;
  real sigma = exp(log_sigma_mean);                                      // residual SD of the typical group
  real spread = spread_unit * spread_in_units;                           // SD of the groups' log residual SDs
  // partly non-centred (Papaspiliopoulos, Roberts & Sköld 2007): eta_j ~ normal(sigma_own_j * log_sigma_mean, spread^own_j)
  vector[J] eta = eta_center + eta_unit .* eta_in_units;
  vector[J] group_sigma = exp(log_sigma_mean + exp((1 - sigma_own) * log(spread)) .* (eta - sigma_own * log_sigma_mean));
}
model {
  matrix[q, q] T = diag_pre_multiply(sigma_group, L_group);
  vector[p] d = beta - beta_complete;
  matrix[J, q] ztr;                     // row j is Z_j' (y_j - X_j beta)
  vector[J] rtr = rss - 2 * xtr * d;    // squares of y_j - X_j beta, summed
  for (k in 1 : q) {
    ztr[ : , k] = col(ztr_complete, k) - ztx[k] * d;
  }
  for (k in 1 : p) {
    rtr += d[k] * (xtx[k] * d);
  }
  vector[J] log_sigma = log(group_sigma);
  vector[J] v = square(group_sigma);
  matrix[J, 2] groups = log_dets_and_forms(T, v, ztz, ztr);

  beta ~ normal(beta_mean, beta_sd);
  sigma_group ~ normal(0, sigma_group_sd);
  L_group ~ lkj_corr_cholesky(lkj);
  sigma ~ exponential(1 / sigma_mean);
  target += log_sigma_mean;             // the prior is on sigma
  spread ~ normal(0, spread_sd);
  eta ~ normal(sigma_own * log_sigma_mean, exp(sigma_own * log(spread)));
  target += -dot_product(n - q, log_sigma) - 0.5 * sum(col(groups, 1))
            - 0.5 * sum((rtr - col(groups, 2)) ./ v);
}
