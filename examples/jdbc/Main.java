import java.net.URI;
import java.sql.DriverManager;
import java.util.Properties;

/** The URL of `attach` is postgres://USER:PASSWORD@HOST:PORT/DATABASE; JDBC wants another scheme, and user and password apart. */
public class Main {
  public static void main(String[] args) throws Exception {
    var url = new URI(System.getenv("DATABASE_URL"));
    var login = url.getUserInfo().split(":", 2);
    var properties = new Properties();
    properties.setProperty("user", login[0]);
    properties.setProperty("password", login[1]);
    // What follows the question mark, such as sslmode, has the same names in JDBC.
    var options = url.getRawQuery() == null ? "" : "?" + url.getRawQuery();
    var jdbc = "jdbc:postgresql://" + url.getAuthority().replaceFirst(".*@", "") + url.getRawPath() + options;
    try (var connection = DriverManager.getConnection(jdbc, properties)) {
      // The app's role owns the app's database, so it makes its own tables.
      connection.createStatement().execute("CREATE TABLE IF NOT EXISTS greetings (word text, region text)");
      var insert = connection.prepareStatement("INSERT INTO greetings VALUES (?, ?)");
      insert.setString(1, "Hello, world!");
      insert.setString(2, System.getenv("FLY_REGION"));
      insert.execute();
      var rows = connection.createStatement().executeQuery("SELECT word, region, inet_server_addr() FROM greetings");
      while (rows.next()) System.out.printf("%s from %s, kept at %s%n", rows.getString(1), rows.getString(2), rows.getString(3));
    }
  }
}
